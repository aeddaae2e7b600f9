import { ok, type Result } from './problem.js';

/** One page of a list. */
export interface Page<T> {
  items: T[];
  next_cursor?: string | undefined;
}

/**
 * Yields every row of a list; fetch is called with what names a page when the
 * one before it was used up:
 *
 *     for await (const task of rows((page) => listTasks({ client, query: { status: 'open', ...page } }))) …
 *
 * @throws {ProblemError} if the platform answers with a problem.
 */
export async function* rows<T>(fetch: (page: { cursor?: string }) => Promise<Result<Page<T>>>): AsyncGenerator<T, void, undefined> {
  let cursor: string | undefined;
  do {
    const page: Page<T> = await ok(fetch(cursor === undefined ? {} : { cursor }));
    yield* page.items;
    cursor = page.next_cursor;
  } while (cursor);
}

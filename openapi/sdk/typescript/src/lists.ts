import { ok, type Result } from './problem.js';

/** One page of a list. */
export interface Page<T> {
  items: T[];
  next_cursor?: string;
}

/**
 * Yields every row of a list; fetch is called with the cursor of a page when
 * the one before it was used up:
 *
 *     for await (const task of rows((cursor) => listTasks({ client, query: { cursor } }))) …
 *
 * @throws {ProblemError} if the platform answers with a problem.
 */
export async function* rows<T>(fetch: (cursor: string | undefined) => Promise<Result<Page<T>>>): AsyncGenerator<T, void, undefined> {
  let cursor: string | undefined;
  do {
    const page: Page<T> = await ok(fetch(cursor));
    yield* page.items;
    cursor = page.next_cursor;
  } while (cursor);
}

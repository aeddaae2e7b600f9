import type { Problem } from './gen/index.js';

/** What the platform answers instead of what was asked for (RFC 9457). */
export class ProblemError extends Error {
  override readonly name = 'ProblemError';

  constructor(readonly problem: Problem) {
    super(`${problem.status} ${problem.title}${problem.detail ? `: ${problem.detail}` : ''}`);
  }

  get status(): number {
    return Number(this.problem.status);
  }

  /** The stable code in which the problem's type ends, such as "not_found". */
  get code(): string {
    return this.problem.type.split('#')[1] ?? '';
  }

  /** What is wrong where: pointers into the body, or parameters. */
  get errors(): NonNullable<Problem['errors']> {
    return this.problem.errors ?? [];
  }
}

/** What a generated operation resolves to. */
export interface Result<T> {
  data?: T | undefined;
  error?: unknown;
  response?: Response | undefined;
}

/**
 * Resolves to the data of an operation: `await ok(getTask({ client, path: { id } }))`.
 * @throws {ProblemError} if the platform answered with a problem, another error
 * if it did not answer, or somebody else did: a page is no answer of its.
 */
export async function ok<T>(operation: Promise<Result<T>>): Promise<NonNullable<T>> {
  const { data, error, response } = await operation;
  if (error !== undefined || !response?.ok) {
    if (response === undefined) {
      throw error instanceof Error ? error : new Error('no answer', { cause: error });
    }
    throw problemOf(response, error);
  }
  const kind = response.headers.get('Content-Type');
  if (kind?.startsWith('text/html')) {
    throw new Error(`${response.status} with ${kind}: somebody between here and the platform answered`);
  }
  return data as NonNullable<T>;
}

/** What an answer tells of: a problem document, or no more than its status if a proxy answered. */
export function problemOf({ status, statusText }: Response, told: unknown): ProblemError {
  const members = typeof told === 'object' && told !== null ? told : {};
  return new ProblemError({ type: 'about:blank', title: statusText, ...members, status } as Problem);
}

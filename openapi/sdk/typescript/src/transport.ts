/** How a request is sent again. */
export interface RetryOptions {
  /** At most so many attempts; by default 4. */
  attempts?: number | undefined;
  /** Milliseconds before the second attempt, doubled each time, give or take a half; by default 200. */
  backoff?: number | undefined;
  /** By default the global fetch. */
  fetch?: typeof fetch | undefined;
}

const reads = new Set(['GET', 'HEAD']);
const momentary = new Set([429, 502, 503, 504]);
const longestWait = 30_000;

/**
 * Returns a fetch that gives every write an Idempotency-Key and sends again
 * what failed on the way or was refused for the moment: with the key a write
 * happens once, however often it is sent. An aborted request is not sent again.
 */
export function retrying({ attempts = 4, backoff = 200, fetch: send = fetch }: RetryOptions = {}): typeof fetch {
  return async (input, init) => {
    const request = new Request(input, init);
    setKey(request);
    for (let attempt = 1, wait = backoff; ; attempt++, wait *= 2) {
      let response: Response | undefined;
      try {
        response = await send(attempt < attempts ? request.clone() : request);
        if (attempt >= attempts || !momentary.has(response.status)) return response;
      } catch (error) {
        if (attempt >= attempts || request.signal.aborted) throw error;
      }
      await response?.body?.cancel();
      await sleep(Math.max(wait / 2 + Math.random() * wait, retryAfter(response)), request.signal);
    }
  };
}

/** Names a write, unless the caller did. */
export function setKey(request: Request): void {
  if (!reads.has(request.method) && !request.headers.has('Idempotency-Key')) {
    request.headers.set('Idempotency-Key', crypto.randomUUID());
  }
}

/** How many milliseconds an answer asks to wait, by seconds or a date. */
function retryAfter(response?: Response): number {
  const asked = response?.headers.get('Retry-After') ?? '';
  const wait = /^\d+$/.test(asked) ? Number(asked) * 1000 : Date.parse(asked) - Date.now();
  return Math.min(wait || 0, longestWait);
}

/** Resolves after so many milliseconds; rejects when signal aborts. */
export function sleep(milliseconds: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    signal?.throwIfAborted();
    const abort = () => {
      clearTimeout(timer);
      reject(signal?.reason);
    };
    const timer = setTimeout(() => {
      signal?.removeEventListener('abort', abort);
      resolve();
    }, milliseconds);
    signal?.addEventListener('abort', abort, { once: true });
  });
}

import type { Client } from './gen/client/index.js';
import { problemOf } from './problem.js';
import { retrying, setKey } from './transport.js';

/** Gives the access token to send; after refused was, another one if it can. */
export type TokenSource = (refused?: string) => Promise<string>;

export interface ClientCredentials {
  /** The gateway, such as "http://localhost:8080". */
  baseUrl: string;
  clientId: string;
  clientSecret: string;
  scopes: string[];
  fetch?: typeof fetch | undefined;
}

const early = 30_000; // milliseconds before its end that a token is replaced
const timeout = 30_000; // milliseconds for all attempts to get one

/**
 * Returns the tokens of a machine client (RFC 6749, section 4.4): one at a
 * time, kept until shortly before it expires. It is for servers: a page would
 * show its secret. It rejects with a {@link ProblemError} whose code is OAuth's
 * when it is refused.
 */
export function clientCredentials(options: ClientCredentials): TokenSource {
  const send = retrying({ fetch: options.fetch });
  let token: Promise<{ value: string; until: number }> | undefined;
  const ask = async () => {
    const response = await send(`${options.baseUrl.replace(/\/+$/, '')}/auth/token`, {
      method: 'POST',
      headers: {
        'Content-Type': 'application/x-www-form-urlencoded',
        Authorization: `Basic ${btoa(`${encodeURIComponent(options.clientId)}:${encodeURIComponent(options.clientSecret)}`)}`,
      },
      body: new URLSearchParams({ grant_type: 'client_credentials', scope: options.scopes.join(' ') }),
      signal: AbortSignal.timeout(timeout),
    });
    const answer = members(await response.text());
    const { error, error_description: detail } = answer;
    if (!response.ok) throw problemOf(response, error === undefined ? answer : { type: `#${error}`, title: error, detail });
    if (typeof answer.access_token !== 'string') throw new Error(`the answer to the request for a token, ${response.status}, has none`);
    return { value: answer.access_token, until: Date.now() + Number(answer.expires_in) * 1000 - early };
  };
  return async (refused) => {
    const held = token;
    const kept = await held;
    // Who waited for the same one as others may find that they asked already.
    if (token === undefined || (token === held && (kept === undefined || kept.until < Date.now() || kept.value === refused))) {
      const asked = ask();
      token = asked;
      asked.catch(() => {
        if (token === asked) token = undefined; // the next caller asks again
      });
    }
    return (await token).value;
  };
}

/** The members of a JSON object; none if text is something else. */
function members(text: string): Record<string, unknown> {
  try {
    return Object(JSON.parse(text));
  } catch {
    return {};
  }
}

/**
 * Lets the requests of client bear a token where the operation wants one, and
 * sends again, with another, what was refused with 401: the first was revoked,
 * say. Who aborts a request does not wait for its token.
 */
export function bear(client: Client, tokens: TokenSource, send: typeof fetch): void {
  const borne = new WeakMap<Request, string>();
  const get = async (request: Request, refused?: string) => {
    const token = await Promise.race([tokens(refused), aborted(request.signal)]);
    request.headers.set('Authorization', `Bearer ${token}`);
    return token;
  };
  client.interceptors.request.use(async (request, { security }) => {
    if (security && !request.headers.has('Authorization')) borne.set(request, await get(request));
    return request;
  });
  client.setConfig({
    fetch: async (input, init) => {
      const token = borne.get(input as Request);
      if (token === undefined) return send(input, init);
      const request = input as Request;
      setKey(request); // of both attempts
      const response = await send(request.clone());
      if (response.status !== 401 || (await get(request, token).catch(() => token)) === token) return response;
      await response.body?.cancel();
      return send(request);
    },
  });
}

function aborted(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    if (signal.aborted) reject(signal.reason);
    signal.addEventListener('abort', () => reject(signal.reason), { once: true });
  });
}

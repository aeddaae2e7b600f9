import { ProblemError } from './problem.js';
import { retrying } from './transport.js';

/** Gives the access token to send. */
export type TokenSource = () => Promise<string>;

export interface ClientCredentials {
  /** The gateway, such as "http://localhost:8080". */
  baseUrl: string;
  clientId: string;
  clientSecret: string;
  scopes: string[];
  fetch?: typeof fetch | undefined;
}

const early = 30_000; // milliseconds before its end that a token is replaced

/**
 * Returns the tokens of a machine client (RFC 6749, section 4.4): one at a
 * time, kept until shortly before it expires. It is for servers: a page would
 * show its secret.
 */
export function clientCredentials(options: ClientCredentials): TokenSource {
  const send = retrying({ fetch: options.fetch });
  let token: Promise<{ value: string; until: number }> | undefined;
  const ask = async () => {
    const response = await send(`${options.baseUrl}/auth/token`, {
      method: 'POST',
      headers: {
        'Content-Type': 'application/x-www-form-urlencoded',
        Authorization: `Basic ${btoa(`${encodeURIComponent(options.clientId)}:${encodeURIComponent(options.clientSecret)}`)}`,
      },
      body: new URLSearchParams({ grant_type: 'client_credentials', scope: options.scopes.join(' ') }),
    });
    const answer = (await response.json()) as Record<string, unknown>;
    if (!response.ok) {
      throw new ProblemError({
        type: `#${answer.error}`, title: String(answer.error), detail: String(answer.error_description ?? ''), status: response.status,
      });
    }
    return { value: String(answer.access_token), until: Date.now() + Number(answer.expires_in) * 1000 - early };
  };
  return async () => {
    if (token === undefined || (await token).until < Date.now()) {
      const asked = ask();
      token = asked;
      asked.catch(() => {
        if (token === asked) token = undefined; // the next caller asks again
      });
    }
    return (await token).value;
  };
}

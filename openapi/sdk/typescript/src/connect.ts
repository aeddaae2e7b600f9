import { createClient, createConfig, type Client } from './gen/client/index.js';
import type { TokenSource } from './tokens.js';
import { retrying, type RetryOptions } from './transport.js';

export interface ConnectOptions extends RetryOptions {
  /** The gateway, such as "http://localhost:8080". */
  baseUrl: string;
  /** Without it only public operations work. */
  tokens?: TokenSource | undefined;
}

/** Returns the client that operations take. */
export function connect({ baseUrl, tokens, ...retry }: ConnectOptions): Client {
  return createClient(createConfig({ baseUrl, fetch: retrying(retry), ...(tokens ? { auth: () => tokens() } : {}) }));
}

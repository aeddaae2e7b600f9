import { createClient, createConfig, type Client } from './gen/client/index.js';
import { bear, type TokenSource } from './tokens.js';
import { retrying, type RetryOptions } from './transport.js';

export interface ConnectOptions extends RetryOptions {
  /** The gateway, such as "http://localhost:8080". */
  baseUrl: string;
  /** Without it only public operations work. */
  tokens?: TokenSource | undefined;
}

/** Returns the client that operations take. */
export function connect({ baseUrl, tokens, ...retry }: ConnectOptions): Client {
  const send = retrying(retry);
  const client = createClient(createConfig({ baseUrl: baseUrl.replace(/\/+$/, ''), fetch: send }));
  if (tokens) bear(client, tokens, send);
  // The client goes by Content-Type alone: any application/… but JSON is a file to it, and CSV is text.
  client.interceptors.response.use((response, _, options) => {
    if (options.parseAs !== 'auto') return response;
    if (response.headers.get('Content-Type') === 'application/x-ndjson') options.parseAs = 'text';
    if (options.url === '/reports/v1/runs/{id}/file') options.parseAs = 'blob';
    return response;
  });
  return client;
}

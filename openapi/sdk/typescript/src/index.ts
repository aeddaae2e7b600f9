/**
 * The TypeScript SDK of the Bailiwick platform. The operations and their types
 * are generated from the OpenAPI document (src/gen); the rest is what every
 * caller wants besides.
 */
export * from './gen/index.js';
export type { Client } from './gen/client/index.js';
export { connect, type ConnectOptions } from './connect.js';
export { exported } from './exports.js';
export { rows, type Page } from './lists.js';
export { ok, ProblemError, type Result } from './problem.js';
export { ReportError, waitForReport, type WaitOptions } from './reports.js';
export { clientCredentials, type ClientCredentials, type TokenSource } from './tokens.js';
export { retrying, type RetryOptions } from './transport.js';

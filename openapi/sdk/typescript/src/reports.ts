import type { Client } from './gen/client/index.js';
import { getReportRun, type Run } from './gen/index.js';
import { ok } from './problem.js';
import { sleep } from './transport.js';

export interface WaitOptions {
  /** Is handed the run each time it was looked at. */
  onProgress?: ((run: Run) => void) | undefined;
  signal?: AbortSignal | undefined;
}

const longestPoll = 2_000;

/**
 * Waits until a report run is over, and resolves to it.
 * @throws {Error} if the run failed or was cancelled; its message says why, its cause is the run.
 */
export async function waitForReport(client: Client, id: string, { onProgress, signal }: WaitOptions = {}): Promise<Run> {
  for (let wait = 100; ; wait = Math.min(2 * wait, longestPoll)) {
    const run = await ok(getReportRun({ client, path: { id }, signal }));
    onProgress?.(run);
    if (run.status === 'succeeded') return run;
    if (run.status === 'failed' || run.status === 'cancelled') {
      const why = run.failure ? `: ${run.failure.code}: ${run.failure.message}` : '';
      throw new Error(`the report run is ${run.status}${why}`, { cause: run });
    }
    await sleep(wait, signal);
  }
}

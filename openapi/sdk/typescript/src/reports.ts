import type { Client } from './gen/client/index.js';
import { getReportRun, type Run } from './gen/index.js';
import { ok } from './problem.js';
import { sleep } from './transport.js';

export interface WaitOptions {
  /** Is handed the run each time it was looked at. */
  onProgress?: ((run: Run) => void) | undefined;
  signal?: AbortSignal | undefined;
}

/** Tells of a report run that has no file: it failed, and run.failure says why, or was cancelled. */
export class ReportError extends Error {
  override readonly name = 'ReportError';

  constructor(readonly run: Run) {
    super(`the report run is ${run.status}${run.failure ? `: ${run.failure.code}: ${run.failure.message}` : ''}`, { cause: run });
  }
}

const longestPoll = 2_000;

/**
 * Waits until a report run is over, and resolves to it.
 * @throws {ReportError} if the run failed or was cancelled.
 */
export async function waitForReport(client: Client, id: string, { onProgress, signal }: WaitOptions = {}): Promise<Run> {
  for (let wait = 100; ; wait = Math.min(2 * wait, longestPoll)) {
    const run = await ok(getReportRun({ client, path: { id }, signal }));
    onProgress?.(run);
    if (run.status === 'succeeded') return run;
    if (run.status === 'failed' || run.status === 'cancelled') throw new ReportError(run);
    await sleep(wait, signal);
  }
}

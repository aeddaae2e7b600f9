import type { Client } from './gen/client/index.js';
import { exportTasks, type ExportTasksData, type Task } from './gen/index.js';
import { ok } from './problem.js';

/**
 * Yields every task that query chooses as it arrives, however many there are:
 *
 *     for await (const task of exported(client, { status: 'open' })) …
 *
 * @throws {ProblemError} if the platform answers with a problem, another error
 * if the connection breaks, or signal aborts, before the last task.
 */
export async function* exported(
  client: Client,
  query: Omit<NonNullable<ExportTasksData['query']>, 'format'> = {},
  { signal }: { signal?: AbortSignal | undefined } = {},
): AsyncGenerator<Task, void, undefined> {
  const answer: unknown = await ok(exportTasks({ client, query: { ...query, format: 'ndjson' }, parseAs: 'stream', signal }));
  const reader = (answer as ReadableStream<BufferSource>).pipeThrough(new TextDecoderStream()).getReader();
  let rest = ''; // of a line that is not whole yet
  try {
    for (let read = await reader.read(); !read.done; read = await reader.read()) {
      const lines = (rest + read.value).split('\n');
      rest = lines.pop() ?? '';
      for (const line of lines) yield JSON.parse(line) as Task;
    }
    if (rest) throw new Error('the export breaks off within a task');
  } finally {
    await reader.cancel(); // who breaks off the loop wants no more
  }
}

import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import { test } from 'node:test';
import { clientCredentials, connect, createProject, downloadReportFile, exported, exportTasks, getTask, listTasks, ok, ProblemError, ReportError, retrying, rows, waitForReport } from '../dist/index.js';

/** Serves handler at a free port while the test runs. */
async function serve(t, handler) {
  const server = createServer(handler);
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.after(() => server.close());
  return `http://127.0.0.1:${server.address().port}`;
}

function answer(response, status, body, headers = {}) {
  response.writeHead(status, { 'Content-Type': status < 400 ? 'application/json' : 'application/problem+json', ...headers });
  response.end(JSON.stringify(body));
}

test('a write is sent again under one key, with its body', async (t) => {
  const seen = [];
  const baseUrl = await serve(t, (request, response) => {
    let body = '';
    request.on('data', (chunk) => (body += chunk)).on('end', () => {
      seen.push([request.headers['idempotency-key'], body].join(' '));
      answer(response, seen.length < 3 ? 503 : 201, { name: 'x' });
    });
  });
  const project = await ok(createProject({ client: connect({ baseUrl, backoff: 1 }), body: { name: 'x' } }));
  assert.equal(project.name, 'x');
  assert.equal(seen.length, 3);
  assert.equal(new Set(seen).size, 1);
  assert.match(seen[0], /^[0-9a-f-]{36} \{"name":"x"\}$/);
});

test('what is refused is a ProblemError, and not sent again', async (t) => {
  let n = 0;
  const baseUrl = await serve(t, (_, response) => {
    n++;
    answer(response, 404, { type: 'http://x/docs/problems#not_found', title: 'Not Found', status: 404 });
  });
  await assert.rejects(ok(getTask({ client: connect({ baseUrl }), path: { id: 'x' } })), (error) => {
    return error instanceof ProblemError && error.status === 404 && error.code === 'not_found';
  });
  assert.equal(n, 1);
});

test('who aborts is not kept waiting', async (t) => {
  const baseUrl = await serve(t, (_, response) => answer(response, 429, {}, { 'Retry-After': '30' }));
  const started = Date.now();
  await assert.rejects(ok(getTask({ client: connect({ baseUrl }), path: { id: 'x' }, signal: AbortSignal.timeout(50) })));
  assert.ok(Date.now() - started < 5_000);
});

test('rows reads every page', async (t) => {
  const pages = { '': { items: [{ key: 'A-1' }, { key: 'A-2' }], next_cursor: 'b' }, b: { items: [{ key: 'A-3' }] } };
  const baseUrl = await serve(t, (request, response) => {
    answer(response, 200, pages[new URL(request.url, 'http://x').searchParams.get('cursor') ?? '']);
  });
  const client = connect({ baseUrl });
  const keys = [];
  for await (const task of rows((page) => listTasks({ client, query: { ...page } }))) keys.push(task.key);
  assert.deepEqual(keys, ['A-1', 'A-2', 'A-3']);
});

test('a token is asked for once, and sent', async (t) => {
  let asked = 0;
  const baseUrl = await serve(t, (request, response) => {
    if (request.url === '/auth/token') {
      asked++;
      assert.equal(request.headers.authorization, `Basic ${btoa('id:s%3Ae')}`);
      return answer(response, 200, { access_token: 'secret', expires_in: 600 });
    }
    answer(response, request.headers.authorization === 'Bearer secret' ? 200 : 401, { items: [] });
  });
  const client = connect({ baseUrl, tokens: clientCredentials({ baseUrl, clientId: 'id', clientSecret: 's:e', scopes: ['tasks'] }) });
  await Promise.all([1, 2, 3].map(() => ok(listTasks({ client }))));
  assert.equal(asked, 1);
});

/** Serves the token endpoint with token(response, n), n from 1, and all else with api; returns a machine client. */
async function machine(t, token, api = (_, response) => answer(response, 200, { items: [] })) {
  let asked = 0;
  const baseUrl = `${await serve(t, (request, response) => (request.url === '/auth/token' ? token(response, ++asked) : api(request, response)))}/`;
  return connect({ baseUrl, tokens: clientCredentials({ baseUrl, clientId: 'id', clientSecret: 's', scopes: [] }) });
}

test('a token that is over is replaced by one, however many wait', async (t) => {
  let asked = 0;
  const client = await machine(t, (response, n) => answer(response, 200, { access_token: `t${(asked = n)}`, expires_in: n === 1 ? 30 : 600 }));
  await ok(listTasks({ client }));
  await new Promise((resolve) => setTimeout(resolve, 5));
  await Promise.all(Array.from({ length: 10 }, () => ok(listTasks({ client }))));
  assert.equal(asked, 2);
});

test('a token that is refused says why', async (t) => {
  const of = async (status, body) => {
    const client = await machine(t, (response) => response.writeHead(status).end(body));
    return ok(listTasks({ client })).catch((error) => [error instanceof ProblemError, error.code, error.message]);
  };
  assert.deepEqual(await of(401, '{"error":"invalid_client","error_description":"no"}'), [true, 'invalid_client', '401 invalid_client: no']);
  assert.deepEqual(await of(500, '{"type":"x#internal","title":"Internal","status":500}'), [true, 'internal', '500 Internal']);
  assert.deepEqual(await of(404, '<html>'), [true, '', '404 Not Found']);
  assert.deepEqual(await of(200, '<html>'), [false, undefined, 'the answer to the request for a token, 200, has none']);
});

test('who aborts does not wait for a token', async (t) => {
  const waiting = [];
  const client = await machine(t, (response) => waiting.push(response));
  await assert.rejects(ok(listTasks({ client, signal: AbortSignal.timeout(50) })), { name: 'TimeoutError' });
  for (const response of waiting) answer(response, 200, { access_token: 't1', expires_in: 600 });
});

test('a revoked token is replaced once', async (t) => {
  const seen = [];
  let revoked = ['Bearer t1'];
  const client = await machine(t, (response, n) => answer(response, 200, { access_token: `t${n}`, expires_in: 600 }), (request, response) => {
    seen.push(request.headers['idempotency-key']);
    answer(response, revoked.includes(request.headers.authorization) ? 401 : 201, { name: 'x' });
  });
  const create = (headers) => createProject({ client, body: { name: 'x' }, headers });
  assert.equal((await ok(create())).name, 'x');
  assert.equal(seen.length, 2);
  assert.equal(seen[0], seen[1]);
  revoked = ['Bearer t2', 'Bearer t3'];
  assert.equal((await create()).response.status, 401);
  revoked = ['Bearer mine'];
  assert.equal((await create({ Authorization: 'Bearer mine' })).response.status, 401);
  assert.equal(seen.length, 5);
});

test('a report is waited for with its progress', async (t) => {
  const statuses = ['pending', 'running', 'succeeded'];
  const baseUrl = await serve(t, (_, response) => answer(response, 200, { status: statuses.shift() }));
  const seen = [];
  const run = await waitForReport(connect({ baseUrl }), 'x', { onProgress: (r) => seen.push(r.status) });
  assert.equal(run.status, 'succeeded');
  assert.deepEqual(seen, ['pending', 'running', 'succeeded']);
});

test('a failed report says why', async (t) => {
  const failure = { code: 'cell_too_long', message: 'OPS-3: Title is too long' };
  const baseUrl = await serve(t, (_, response) => answer(response, 200, { status: 'failed', failure }));
  await assert.rejects(waitForReport(connect({ baseUrl }), 'x'), (error) => {
    return error instanceof ReportError && error.run.failure.code === 'cell_too_long' && error.message === 'the report run is failed: cell_too_long: OPS-3: Title is too long';
  });
});

test('a page is not taken for an answer', async (t) => {
  const baseUrl = await serve(t, (_, response) => response.writeHead(200, { 'Content-Type': 'text/html' }).end('<html>'));
  await assert.rejects(waitForReport(connect({ baseUrl }), 'x'), /^Error: 200 with text\/html/);
});

test("a report's file is a blob, or a stream", async (t) => {
  for (const type of ['text/csv', 'application/pdf']) {
    const client = connect({ baseUrl: await serve(t, (_, response) => response.writeHead(200, { 'Content-Type': type }).end('a,b')) });
    assert.equal(await (await ok(downloadReportFile({ client, path: { id: 'x' } }))).text(), 'a,b');
    assert.equal(await new Response(await ok(downloadReportFile({ client, path: { id: 'x' }, parseAs: 'stream' }))).text(), 'a,b');
  }
});

test('Retry-After is heeded', async () => {
  await Promise.all(['1', new Date(Date.now() + 2_000).toUTCString()].map(async (asked) => {
    const sent = [];
    const send = async () => new Response('', { status: sent.push(Date.now()) === 1 ? 429 : 200, headers: { 'Retry-After': asked } });
    await retrying({ backoff: 1, fetch: send })('http://x');
    assert.ok(sent[1] - sent[0] > 900, asked); // a date has no milliseconds
  }));
});

/** Sends tasks one to a line, each cut in two, and breaks off after the last if it is to. */
async function lines(request, response, keys, broken) {
  assert.equal(new URL(request.url, 'http://x').searchParams.get('format') ?? 'ndjson', 'ndjson');
  response.writeHead(200, { 'Content-Type': 'application/x-ndjson' });
  for (const key of keys) {
    const line = Buffer.from(`${JSON.stringify({ key, title: '报告' })}\n`);
    response.write(line.subarray(0, -5)); // within a character
    await new Promise((resolve) => setTimeout(resolve, 5));
    response.write(line.subarray(-5));
  }
  if (broken) response.destroy();
  else response.end();
}

test('an export is text, or task by task', async (t) => {
  const client = connect({ baseUrl: await serve(t, (request, response) => lines(request, response, ['A-1', 'A-2'])) });
  assert.equal(await ok(exportTasks({ client })), '{"key":"A-1","title":"报告"}\n{"key":"A-2","title":"报告"}\n');
  const got = [];
  for await (const task of exported(client, { status: 'open' })) got.push(`${task.key} ${task.title}`);
  assert.deepEqual(got, ['A-1 报告', 'A-2 报告']);
  for await (const task of exported(client)) {
    assert.equal(task.key, 'A-1');
    break;
  }
});

test('an export that breaks off is not taken for a whole one', async (t) => {
  const client = connect({ baseUrl: await serve(t, (request, response) => lines(request, response, ['A-1'], true)) });
  await assert.rejects(exported(client, {}, { signal: AbortSignal.abort() }).next(), { name: 'AbortError' });
  await assert.rejects(async () => {
    for await (const task of exported(client)) assert.equal(task.key, 'A-1');
  });
  const refused = connect({ baseUrl: await serve(t, (_, response) => answer(response, 422, { type: 'x#unknown_field', title: 'x', status: 422 })) });
  await assert.rejects(exported(refused, { filter: 'x' }).next(), ProblemError);
});

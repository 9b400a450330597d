// Plays http-cache-tests: serves its origin on 127.0.0.1, prints the port, reads the gateway's address from standard input,
// then prints what became of each test, one JSON object in the last line. Its one argument is where tests/run put the package.
import http from "node:http";
import { createInterface } from "node:readline";
import { pathToFileURL } from "node:url";

const [, , root] = process.argv;
const load = (path) => import(pathToFileURL(`${root}/${path}`));
const log = console.log;
// What the suite says on its way goes to nobody: the last line is the result.
console.log = () => {};

const [handleConfig, handleState, handleTest] = await Promise.all(
  ["config", "state", "test"].map(async (name) => (await load(`package/server/handle-${name}.mjs`)).default),
);
const { runTests, getResults } = await load("package/client/runner.mjs");
const tests = (await load("package/tests/index.mjs")).default;
const fetch = (await load("node_modules/node-fetch/lib/index.mjs")).default;

const server = http.createServer((request, response) => {
  const [dispatch, ...rest] = new URL(request.url, "http://localhost/").pathname.slice(1).split("/");
  const handlers = { config: handleConfig, state: handleState, test: handleTest };
  const handler = handlers[dispatch];
  if (handler) return handler(rest, request, response);
  response.writeHead(404).end();
});
await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
log(server.address().port);

const [gateway] = await new Promise((resolve) => createInterface(process.stdin).once("line", (line) => resolve([line])));
await runTests(tests, fetch, false, gateway);
const results = getResults();
const kinds = Object.fromEntries(tests.flatMap((suite) => suite.tests.map((test) => [test.id, test.kind ?? "required"])));
log(JSON.stringify(Object.entries(results).map(([id, result]) => ({ id, kind: kinds[id], why: result === true ? null : result.join(": ") }))));
process.exit(0);

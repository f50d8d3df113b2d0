// A test reporter that writes nothing but the number of tests that ran, for scripts/run-tests.ts.
// oxlint-disable-next-line import/no-default-export -- node loads a reporter by its default export
export default async function* countTests(events) {
  let tests = 0
  for await (const event of events) {
    // The last summary has no file: it is that of the whole run.
    if (event.type === 'test:summary' && event.data.file === undefined) tests = event.data.counts.tests
  }
  yield `${tests}\n`
}

/** How programs load the package, as it was built. Pipes are those to the test. */
import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { expect, test } from 'vitest'
import { ROOT } from './support/documentation.ts'

const PRINT = `
  const sink = new millrace.KafkaSink({ brokers: 'localhost:9092', topic: 't' })
  console.log(JSON.stringify([typeof sink.send, typeof millrace.KafkaSource, process.getActiveResourcesInfo().filter((name) => name !== 'PipeWrap')]))
`

test.each([
  { name: 'CommonJS with require', type: 'commonjs', load: `const millrace = require('millrace')` },
  { name: 'a module with import', type: 'module', load: `import * as millrace from 'millrace'` },
])('$name loads the library, which opens nothing and ends with the program', async ({ type, load }) => {
  const run = promisify(execFile)(process.execPath, [`--input-type=${type}`, '-e', load + PRINT], { cwd: ROOT })
  const { stdout, stderr } = await run
  expect(JSON.parse(stdout)).toEqual(['function', 'function', []])
  expect(stderr).toBe('')
})

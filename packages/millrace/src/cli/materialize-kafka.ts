/**
 * `millrace materialize-kafka`: speaks Flow's protocol on standard input and output until the end of input. Standard output
 * belongs to the protocol, so there is no envelope; the exit code is 0 or 1, as a runtime expects.
 */
import { unwritable } from '../errors/unwritable.ts'
import { runConnector } from '../materialize/connector.ts'
import { Logs } from '../materialize/logs.ts'
import type { Outcome } from './output.ts'

export async function materializeKafka(): Promise<Outcome> {
  const logs = new Logs((line) => process.stderr.write(line), process.env['LOG_LEVEL'])
  if (process.stdin.isTTY)
    logs.warn('reading requests from a terminal: this command is started by a runtime of Estuary Flow')
  const exitCode = await runConnector({
    input: process.stdin,
    write: (bytes) =>
      new Promise((resolve, reject) => {
        process.stdout.write(bytes, (cause) => (cause ? reject(unwritable('to standard output', cause)) : resolve()))
      }),
    logs,
    codec: process.env['FLOW_RUNTIME_CODEC'],
  })
  return { exitCode, summary: exitCode === 0 ? 'The session ended' : 'The session failed', result: null }
}

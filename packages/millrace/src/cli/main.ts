/**
 * Start of the command line. `bin/millrace.js` comes first: it refuses a Node.js that is too old and turns on the cache of
 * compiled code.
 */
import { unwritable } from '../errors/unwritable.ts'
import { runCli } from './commands.ts'
import { exitCodeOf } from './exit-code.ts'
import { errorLines } from './output.ts'

const args = process.argv.slice(2)
let isRunning = args[0] === 'run' || args[0] === 'materialize-kafka'
process.stdout.on('error', (cause: NodeJS.ErrnoException) => {
  // The sink or session that wrote knows, and the run ends in order: it leaves its group, and does not count as complete.
  if (isRunning) return
  // Whoever reads our output may have seen enough: `millrace read | head`.
  if (cause.code === 'EPIPE') process.exit()
  const error = unwritable('to standard output', cause)
  for (const line of errorLines(error, undefined)) process.stderr.write(`${line}\n`)
  process.exit(exitCodeOf(error))
})
// Node would open a debugger. Anyone who may send the signal could use it.
process.on('SIGUSR1', () => {})
// What cannot be told is no reason to stop moving records.
process.stderr.on('error', () => {})
process.exitCode = await runCli(args)
isRunning = false

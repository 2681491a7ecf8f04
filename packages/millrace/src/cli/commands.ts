/**
 * Runs a command and turns how it ended into an exit code. Each command is a file of its own that is loaded when it is
 * called.
 */
import { exitCodeOf, INTERRUPTED } from './exit-code.ts'
import { errorLines, printEnvelope, toEnvelopeError, type Outcome } from './output.ts'

/**
 * @param args without the names of program and script
 * @returns the exit code; nothing is thrown
 */
export async function runCli(args: readonly string[]): Promise<number> {
  let exitCode = 0
  async function execute(
    name: string,
    options: { readonly json?: true },
    file: string | undefined,
    work: () => Promise<Outcome>,
  ): Promise<void> {
    const release = options.json ? printWhenInterrupted(name) : undefined
    const outcome = await work().catch((error: unknown) => failure(error, file))
    release?.()
    if (options.json) printEnvelope(name, outcome)
    exitCode = outcome.exitCode
  }

  const files = filesToLint(args)
  if (files !== undefined) {
    await execute('lint', {}, undefined, async () => (await import('./lint.ts')).lint(files, {}))
    return exitCode
  }
  const { callCommand } = await import('./program.ts')
  const mistake = await callCommand(args, ({ name, run }, given, options, verbs) => {
    const file = given.findLast((one) => typeof one === 'string')
    return execute(name, options, file, () => run(given as never, options as never, verbs))
  })
  if (mistake === undefined) return exitCode
  const error = { code: 'CONFIG_INVALID', message: mistake }
  const outcome = { exitCode: 2, summary: mistake, result: null, error }
  if (args.includes('--json')) printEnvelope(args.find((arg) => !arg.startsWith('-')) ?? 'millrace', outcome)
  return outcome.exitCode
}

/**
 * Programs that read the envelope get one, too, when a command is interrupted; the signal ends it as it would without.
 * @returns stops listening
 */
function printWhenInterrupted(command: string): () => void {
  const onSignal = (signal: keyof typeof INTERRUPTED): void => {
    // Commands that end in order, such as `run`, listen themselves.
    if (process.listenerCount(signal) > 1) return
    const message = `Interrupted by ${signal} before the command had finished`
    const exitCode = INTERRUPTED[signal]
    printEnvelope(command, { exitCode, summary: message, result: null, error: { code: 'ABORTED', message } })
    process.exit(exitCode)
  }
  const signals = Object.keys(INTERRUPTED) as (keyof typeof INTERRUPTED)[]
  for (const signal of signals) process.on(signal, onSignal)
  return () => {
    for (const signal of signals) process.off(signal, onSignal)
  }
}

/** Editors and commit hooks call `lint` all the time, so its plain form does without the 10 ms that reading arguments costs. */
function filesToLint([command, ...files]: readonly string[]): readonly string[] | undefined {
  return command === 'lint' && files.length > 0 && files.every((file) => !file.startsWith('-')) ? files : undefined
}

function failure(error: unknown, file: string | undefined): Outcome {
  for (const line of errorLines(error, file)) process.stderr.write(`${line}\n`)
  const envelopeError = toEnvelopeError(error)
  return { exitCode: exitCodeOf(error), summary: envelopeError.message, result: null, error: envelopeError }
}

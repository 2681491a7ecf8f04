/**
 * `millrace dev`: runs a pipeline file on an embedded broker, feeds it, prints what comes out, and runs it again whenever the
 * file changes, until Ctrl-C. Topics and offsets stay as they are between the runs.
 */
import type { EmbeddedBroker } from '../broker/index.ts'
import { catalog } from '../catalog.ts'
import { readAnyPlan, type ReadingOptions } from '../dialects/index.ts'
import type { RunResult } from '../engine/plan.ts'
import { ConfigError, isMillraceError } from '../errors/index.ts'
import { inBackground } from '../resilience/background.ts'
import { type FileChanges, watchFiles } from './dev/changes.ts'
import { type InputOptions, inputPlan } from './dev/input.ts'
import { type AnyPlan, onCluster, topicsOf } from './dev/local-plan.ts'
import { errorLines, formatProblem, plural, type Outcome } from './output.ts'
import { StopSignals } from './stop-signals.ts'

export interface DevOptions extends ReadingOptions, InputOptions {
  readonly port: number
  readonly partitions: number
  readonly data?: string
  /** Whether whole records are printed instead of their values. */
  readonly records?: true
}

export async function dev(file: string, options: DevOptions): Promise<Outcome> {
  if (file === '-') throw new ConfigError('Cannot watch standard input for changes: name a pipeline file')
  const signals = new StopSignals(say)
  try {
    // A file that cannot be run at all is an error, and not a reason to wait.
    await readAnyPlan(file, undefined, options)
    const { startBroker } = await import('../broker/index.ts')
    await using broker = await startBroker({
      port: options.port,
      defaultPartitions: options.partitions,
      log: say,
      ...(options.data === undefined ? {} : { directory: options.data }),
    })
    say(`Kafka at ${broker.bootstrapServers}, ${options.data === undefined ? 'in memory' : `in "${options.data}"`}`)
    const runs = await new DevSession(file, options, broker, signals).work()
    const summary = `${file}: stopped after ${plural(runs, 'run')}`
    say(summary)
    return { exitCode: signals.interrupted ?? 0, summary, result: { runs } }
  } finally {
    signals.release()
  }
}

/** What people read goes to standard error; records go to standard output. */
function say(line: string): void {
  process.stderr.write(`${line}\n`)
}

class DevSession {
  readonly #file: string
  readonly #options: DevOptions
  readonly #broker: EmbeddedBroker
  readonly #signals: StopSignals
  /** Ends feeding and printing with the session. */
  readonly #ended = new AbortController()
  readonly #background: Promise<unknown>[] = []
  readonly #fed = new Set<string>()
  readonly #printed = new Set<string>()

  constructor(file: string, options: DevOptions, broker: EmbeddedBroker, signals: StopSignals) {
    this.#file = file
    this.#options = options
    this.#broker = broker
    this.#signals = signals
  }

  /** Runs until a signal comes. @returns the number of runs */
  async work(): Promise<number> {
    const { envFile = [], connections } = this.#options
    using changes = watchFiles([this.#file, ...envFile, ...(connections === undefined ? [] : [connections])])
    const { stop } = this.#signals
    const stopped = new Promise<void>((resolve) => stop.addEventListener('abort', () => resolve(), { once: true }))
    let runs = 0
    try {
      while (!stop.aborted) {
        const plan = await this.#read()
        if (plan !== undefined) runs++
        await this.#runUntilChange(plan, changes, stopped)
      }
    } finally {
      this.#ended.abort()
      await Promise.allSettled(this.#background)
    }
    return runs
  }

  /** @returns `undefined` when the file has problems, which are printed */
  async #read(): Promise<AnyPlan | undefined> {
    const { bootstrapServers } = this.#broker
    const environment = { KAFKA_BOOTSTRAP_SERVERS: bootstrapServers, ...process.env }
    try {
      const plan = await readAnyPlan(this.#file, environment, this.#options)
      for (const warning of plan.warnings)
        say(formatProblem(this.#file, { ...warning, message: `warning: ${warning.message}` }))
      return onCluster(plan, bootstrapServers.split(','))
    } catch (error) {
      if (!isMillraceError(error)) throw error
      for (const line of errorLines(error, this.#file)) say(line)
      return undefined
    }
  }

  async #runUntilChange(plan: AnyPlan | undefined, changes: FileChanges, stopped: Promise<void>): Promise<void> {
    const over = new AbortController()
    const running = plan === undefined ? Promise.resolve() : this.#run(plan, over.signal)
    const ended = running.then(() => {
      if (!over.signal.aborted && !this.#signals.stop.aborted) say('Waiting for a change of the file; stop with Ctrl-C')
    })
    const changed = changes.next().then(() => say(`${this.#file} has changed: running it again`))
    await Promise.race([changed, stopped])
    over.abort()
    await ended
  }

  async #run(plan: AnyPlan, over: AbortSignal): Promise<void> {
    const topics = topicsOf(plan)
    for (const topic of [...topics.read, ...topics.written])
      if (!this.#broker.topics().includes(topic)) this.#broker.createTopic(topic)
    this.#feed(topics.read.filter((topic) => !topics.written.includes(topic)))
    this.#print(topics.written)
    const { stop, abort } = this.#signals
    const { runPlan } = await import('../engine/run-plan.ts')
    const run = { components: catalog, abort, untilEnd: false, warn: say, inform: () => {}, onProgress: () => {} }
    try {
      const result = await runPlan(plan, { ...run, signal: AbortSignal.any([stop, over]) })
      if (!stop.aborted && !over.aborted) say(summaryOf(plan, result))
    } catch (error) {
      for (const line of errorLines(error, this.#file)) say(line)
    }
  }

  /** Begins to write the input to topics that have not been fed yet. */
  #feed(topics: readonly string[]): void {
    const { input, rate } = this.#options
    for (const topic of topics.filter((name) => !this.#fed.has(name))) {
      this.#fed.add(topic)
      say(`Writing ${input === undefined ? `${plural(rate, 'order')} a second` : `"${input}"`} to topic ${topic}`)
      this.#inBackground(async () => {
        const { runPlan } = await import('../engine/run-plan.ts')
        await runPlan(inputPlan(topic, this.#broker.bootstrapServers, this.#options), {
          components: catalog,
          signal: this.#ended.signal,
          abort: this.#ended.signal,
          untilEnd: input !== undefined,
          warn: say,
          onProgress: () => {},
        })
      })
    }
  }

  /** Begins to print topics that are not printed yet. */
  #print(topics: readonly string[]): void {
    const added = topics.filter((name) => !this.#printed.has(name))
    if (added.length === 0) return
    for (const topic of added) this.#printed.add(topic)
    say(`Printing what is written to ${added.join(', ')}`)
    this.#inBackground(async () => {
      const [{ preview }, { recordLine, valueLine }, { topicPlan }] = await Promise.all([
        import('./preview/index.ts'),
        import('./preview/record-line.ts'),
        import('./preview/source-plan.ts'),
      ])
      await preview(topicPlan(added.join(','), this.#broker.bootstrapServers, []), {
        from: 'earliest',
        follow: true,
        sourceOnly: true,
        signal: this.#ended.signal,
        onRow: (batch, row, codec) => {
          const line =
            this.#options.records === undefined
              ? `${batch.topic}  ${valueLine(batch, row, codec)}`
              : recordLine(batch, row, codec)
          process.stdout.write(`${line}\n`)
        },
      })
    })
  }

  /** What fails ends with a line, and not with the session. */
  #inBackground(work: () => Promise<void>): void {
    const done = work()
    this.#background.push(done.catch(() => undefined))
    inBackground(done, (error) => {
      if (this.#ended.signal.aborted) return
      for (const line of errorLines(error, undefined)) say(line)
    })
  }
}

function summaryOf({ name }: AnyPlan, { read, written }: RunResult): string {
  return `${name}: read ${plural(read.records, 'record')}, wrote ${written.records.toLocaleString('en-US')}; it has ended`
}

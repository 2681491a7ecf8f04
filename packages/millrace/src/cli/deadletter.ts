/**
 * `millrace deadletter replay`: puts the records of dead letters back into their topics. Shows what it would do unless it is
 * told to do it.
 */
import type { Batch } from '../records/batch.ts'
import { catalog } from '../catalog.ts'
import { defineSink } from '../contracts/definitions.ts'
import type { RunResult } from '../engine/plan.ts'
import { ConfigError, isMillraceError } from '../errors/index.ts'
import { findLetters, type Letters, type LettersOptions } from './replay/letters.ts'
import { plural, type Outcome } from './output.ts'
import { preview } from './preview/index.ts'
import { ReplayPlace } from './replay/replay-place.ts'
import { replayedOffsets } from './replay/replayed-offsets.ts'
import { letterOf, ReplaySink, type Replayed } from './replay/replay-sink.ts'

export interface DeadletterOptions extends LettersOptions {
  readonly yes?: true
  readonly json?: true
}

/** What was found, and what became of it. */
interface Found {
  readonly letters: number
  readonly byCode: { [code: string]: number }
  readonly byTopic: { [topic: string]: number }
  /** Letters with another error code than the one asked for. */
  readonly filtered: number
  /** Records that are no dead letters, or do not tell their topic. */
  readonly noLetters: number
}

/** @param action `replay` */
export async function deadletter(
  action: string,
  file: string | undefined,
  options: DeadletterOptions,
): Promise<Outcome> {
  if (action !== 'replay') throw new ConfigError(`Unknown action "${action}": the only action is replay`)
  const { yes = false, json } = options
  const letters = await findLetters(file, options)
  const place =
    letters.path === undefined
      ? ReplayPlace.ofTopic(options.code, await replayedOffsets(letters.plan))
      : await ReplayPlace.ofFile(letters.path, options.code, options.max)
  const lines: string[] = []
  const found = await look(letters, options, place, yes || json ? undefined : (line) => lines.push(line))
  const codes = Object.entries(found.byCode).map(([code, count]) => `${count.toLocaleString('en-US')} ${code}`)
  const targets = Object.keys(found.byTopic)
  const rest = [
    ...(found.filtered > 0 ? [`${found.filtered} with other errors`] : []),
    ...(found.noLetters > 0 ? [`${plural(found.noLetters, 'record')} that cannot be replayed`] : []),
  ]
  const left = rest.length === 0 ? '' : `; skipped: ${rest.join(', ')}`
  const what = found.letters === 0 ? 'No dead letters' : `${plural(found.letters, 'dead letter')} (${codes.join(', ')})`
  const into = `to ${targets.join(', ')}`
  const done = yes ? `replayed ${into}` : `would be replayed ${into}; add --yes to replay`
  const isStopped = yes && found.letters > 0 && (await replay(letters, options, place, targets[0]!)) === 'signal'
  const summary = isStopped
    ? `Stopped before all of ${what} were replayed ${into}; the same command continues from there`
    : `${what} ${found.letters === 0 ? 'to replay' : done}${left}`
  if (json === undefined) process.stdout.write([...lines, summary, ''].join('\n'))
  return { exitCode: 0, summary, result: { replayed: yes, stopped: isStopped, ...found } }
}

/** Reads the letters without committing anything. @param print told of each one that would be put back */
async function look(
  { plan }: Letters,
  options: DeadletterOptions,
  place: ReplayPlace,
  print: ((line: string) => void) | undefined,
): Promise<Found> {
  const found = {
    letters: 0,
    byCode: {} as Found['byCode'],
    byTopic: {} as Found['byTopic'],
    filtered: 0,
    noLetters: 0,
  }
  const onRow = (batch: Batch, row: number): void => {
    const letter = letterOf(batch, row, selectionOf(options))
    const code = typeof letter === 'string' ? options.code : letter.error.code
    if (!place.includes(batch, row, code)) return
    if (letter === 'filtered') found.filtered++
    else if (letter === 'no letter') found.noLetters++
    else {
      const code = letter.error.code ?? 'unknown'
      found.letters++
      found.byCode[code] = (found.byCode[code] ?? 0) + 1
      found.byTopic[letter.target] = (found.byTopic[letter.target] ?? 0) + 1
      print?.(lineOf(letter))
    }
  }
  await preview(plan, { from: 'run', follow: false, sourceOnly: true, onRow })
  return found
}

function lineOf({ topic, partition, offset, target, error }: Replayed): string {
  const from = offset === undefined ? (topic ?? 'a record') : `${topic}/${partition}@${offset}`
  return `${from}${target === topic ? '' : ` -> ${target}`}  ${error.code ?? ''}: ${error.message}`
}

function selectionOf({ to, code }: DeadletterOptions): {
  readonly to: string | undefined
  readonly code: string | undefined
} {
  return { to, code }
}

/** Runs a pipeline from the letters to their topics, until its end or a signal; a second one ends the process. */
async function replay(
  letters: Letters,
  options: DeadletterOptions,
  place: ReplayPlace,
  first: string,
): Promise<RunResult['ended']> {
  const { runPipeline } = await import('../engine/run-pipeline.ts')
  const sink = defineSink({
    name: 'replay',
    summary: 'Puts records back.',
    options: {},
    create: (_, context) => new ReplaySink(letters, selectionOf(options), place, first, context),
  })
  const stop = new AbortController()
  const onSignal = (): void => {
    process.off('SIGINT', onSignal).off('SIGTERM', onSignal)
    stop.abort()
  }
  process.on('SIGINT', onSignal).on('SIGTERM', onSignal)
  try {
    const { ended } = await runPipeline(letters.plan, {
      components: { ...catalog, sink: async () => sink },
      signal: stop.signal,
      abort: new AbortController().signal,
      untilEnd: true,
      warn: (message) => process.stderr.write(`warning: ${message}\n`),
    })
    return ended
  } catch (error) {
    // It was stopped while it connected.
    if (stop.signal.aborted && isMillraceError(error) && error.code === 'ABORTED') return 'signal'
    throw error
  } finally {
    process.off('SIGINT', onSignal).off('SIGTERM', onSignal)
  }
}

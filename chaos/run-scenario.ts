/**
 * The course of a scenario, from top to bottom: brokers and topics, input and faults at the same time, catching up,
 * stopping, and the comparison of what came out with what went in.
 */
import { openBed } from './bed.ts'
import { readWithJava, readWithOurs, Tally } from './check.ts'
import { Generator } from './generator.ts'
import { Random } from './random.ts'
import { PARTITIONS, Run } from './run.ts'
import type { Input, Scenario, Verdict } from './scenario.ts'
import { type Delivery, LANES, type Lane, type Shape } from './setup.ts'

export interface ScenarioOptions {
  readonly seconds: number
  readonly delivery: Delivery
  /** The same seed gives the same faults, as far as processes and networks are the same. */
  readonly seed: number
  /** Drawn from the seed when omitted. */
  readonly lane?: Lane | undefined
  /** A line when omitted. */
  readonly shape?: Shape | undefined
  /** Integers per second; 2000 when omitted. */
  readonly rate?: number | undefined
  /** Address of a broker for scenarios that leave it alone. */
  readonly bootstrapServers?: string | undefined
  readonly signal: AbortSignal
  readonly tell: (text: string) => void
}

/** @throws {Error} when it could not be carried out; what the pipelines did wrong is in the verdict */
export async function runScenario(scenario: Scenario, options: ScenarioOptions): Promise<Verdict> {
  const { seconds, delivery, seed, signal, tell, rate = 2000, shape = 'linear' } = options
  const random = new Random(seed)
  const lane = scenario.lane ?? options.lane ?? random.pick(LANES)
  tell(`${scenario.name}, ${delivery}, ${lane} lane, ${shape} file, seed ${seed}`)
  const bed = await openBed(scenario.brokers, delivery, options.bootstrapServers)
  const run = new Run({ seconds, delivery, lane, shape, rate, random, bed, signal, tell })
  let input: Input | undefined
  try {
    await run.open()
    input = scenario.input?.(run) ?? new Generator({ bootstrapServers: bed.bootstrapServers, topic: run.input, rate })
    const notePipelineFault = (error: Error): void => {
      signal.throwIfAborted()
      run.problem(error.message)
    }
    run.begin()
    await scenario.disturb(run).catch(notePipelineFault)
    await input.stop()
    const { expected } = input
    input = undefined

    tell(`catching up; ${expected.size} integers were written`)
    const started = performance.now()
    await run.caughtUp().catch(notePipelineFault)
    const catchUpMs = Math.round(performance.now() - started)
    await Promise.all(run.workers.map((worker) => worker.stop()))

    await scenario.verify?.(run)
    const counts = await check(run, expected)
    const isOnce = delivery === 'at_least_once' || counts.repeated === 0
    const ok = counts.lost === 0 && counts.outOfOrder === 0 && isOnce && run.problems.length === 0
    const { output, lost, repeated, outOfOrder } = counts
    return {
      scenario: scenario.name,
      seconds,
      delivery,
      lane,
      shape,
      seed,
      faults: run.faults,
      input: expected.size,
      output,
      lost,
      repeated,
      outOfOrder,
      catchUpMs,
      problems: run.problems,
      ok,
    }
  } finally {
    // A generator that cannot reach its brokers any more must not keep the run from ending.
    await Promise.race([input?.stop().catch(() => {}), new Promise((resolve) => setTimeout(resolve, 5000).unref())])
    await run.close()
    await bed.stop()
  }
}

/** Both consumers have to see the same; the counts are those of Java's. */
async function check(run: Run, expected: Input['expected']): Promise<ReturnType<Tally['counts']>> {
  const { bed, tell, delivery } = run.context
  tell('checking')
  // Java first: it waits for transactions that somebody left open.
  const java = new Tally(expected)
  const { bootstrapServers } = bed.output
  await readWithJava({ bootstrapServers, spawnJava: bed.spawnJava }, run.output, PARTITIONS, java).catch(
    (error: Error) => run.problem(error.message),
  )
  const ours = new Tally(expected)
  await readWithOurs(bootstrapServers, run.output, ours)
  const [counts, ourCounts] = [java.counts(), ours.counts()]
  if (JSON.stringify(counts) !== JSON.stringify(ourCounts))
    run.problem(`Java's consumer and ours disagree: ${JSON.stringify(counts)}, ${JSON.stringify(ourCounts)}`)
  run.problems.push(...counts.strange)
  const { lost, repeated } = java.examples()
  if (lost.length > 0) run.problem(`lost: ${lost.join(', ')} ...`)
  if (repeated.length > 0 && delivery === 'exactly_once') run.problem(`repeated: ${repeated.join(', ')} ...`)
  return counts
}

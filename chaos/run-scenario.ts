/**
 * The course of a scenario, from top to bottom: brokers and topics, input and faults at the same time, catching up,
 * stopping, and the comparison of what came out with what went in.
 */
import { openBed, openEmbeddedBed, type Running } from './bed.ts'
import { readWithJava, readWithOurs, Tally } from './check.ts'
import { Generator } from './generator.ts'
import type { Input } from './input.ts'
import { type Promised, promisesOf } from './promises.ts'
import { Random } from './random.ts'
import { Run } from './run.ts'
import type { Scenario, Verdict } from './scenario.ts'
import { type Allowed, drawSetting, printSetting } from './settings.ts'

export interface ScenarioOptions {
  readonly seconds: number
  /** The same seed gives the same faults, as far as processes and networks are the same. */
  readonly seed: number
  /** What is fixed of the setting; the seed draws the rest. */
  readonly setting?: Allowed
  /** Integers per second; 2000 when omitted. */
  readonly rate?: number | undefined
  /** Addresses of brokers for scenarios that leave them alone. */
  readonly running?: Running
  /** Whether brokers that are started are embedded ones. */
  readonly isEmbedded?: boolean
  readonly signal: AbortSignal
  readonly tell: (text: string) => void
}

/** @throws {Error} when it could not be carried out; what the pipelines did wrong is in the verdict */
export async function runScenario(scenario: Scenario, options: ScenarioOptions): Promise<Verdict> {
  const { seconds, seed, signal, tell, running = {}, isEmbedded = false } = options
  const rate = scenario.rate ?? options.rate ?? 2000
  const random = new Random(seed)
  const setting = drawSetting(random, scenario.allowed ?? {}, options.setting ?? {})
  const repeat = `npm run -s chaos -- ${scenario.name} --setting ${printSetting(setting)} --seed ${seed} --seconds ${seconds} --rate ${rate}${isEmbedded ? ' --embedded' : ''}`
  tell(repeat)
  const open = isEmbedded ? openEmbeddedBed : openBed
  const bed = await open(scenario.bed, setting, scenario.brokerProperties, running)
  const run = new Run({
    seconds,
    setting,
    rate,
    random: new Random(seed),
    bed,
    patienceMs: scenario.patienceMs ?? 0,
    signal,
    tell,
  })
  let input: Input | undefined
  try {
    await run.open(scenario.outputConfigs)
    input = scenario.input?.(run) ?? usualInput(run)
    const notePipelineFault = (error: Error): void => {
      signal.throwIfAborted()
      run.problem(error.message)
    }
    void run.begins()
    await scenario.disturb(run).catch(notePipelineFault)
    await input.stop()
    const { expected, possible } = input
    const tally = (): Tally => new Tally(expected, possible)
    input = undefined

    tell(`catching up; ${expected.size} integers were written`)
    const started = performance.now()
    await run.caughtUp().catch(notePipelineFault)
    const catchUpMs = Math.round(performance.now() - started)
    await Promise.all(run.workers.map((worker) => worker.stop()))

    await scenario.verify?.(run)
    const promised = promisesOf(setting, scenario.breaks)
    const { output, lost, repeated, outOfOrder } = await check(run, scenario, tally, promised)
    const counts = { lost, repeated, outOfOrder }
    if (expected.size === 0 || Object.keys(run.faults).length === 0) run.problem('nothing was tried')
    const ok = promised.every((count) => counts[count] === 0) && run.problems.length === 0
    return {
      scenario: scenario.name,
      setting,
      repeat,
      faults: run.faults,
      input: expected.size,
      output,
      ...counts,
      promised,
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

function usualInput(run: Run): Input {
  const { bed, rate } = run.context
  return new Generator({ bootstrapServers: bed.bootstrapServers, topic: run.input, rate, ready: run.reads() })
}

/** Compares what came out with what went in. */
async function check(
  run: Run,
  { read }: Scenario,
  newTally: () => Tally,
  promised: readonly Promised[],
): Promise<ReturnType<Tally['counts']>> {
  run.context.tell('checking')
  const tally = await (read === undefined ? readBoth(run, newTally) : readOne(run, read, newTally))
  const counts = tally.counts()
  run.problems.push(...counts.strange)
  const examples = tally.examples()
  for (const count of promised)
    if (counts[count] > 0) run.problem(`${counts[count]} ${NAMES[count]}: ${examples[count].join(', ')} ...`)
  return counts
}

const NAMES = { lost: 'lost', repeated: 'repeated', outOfOrder: 'out of order' } as const

async function readOne(run: Run, read: NonNullable<Scenario['read']>, newTally: () => Tally): Promise<Tally> {
  const tally = newTally()
  await read(run, tally)
  return tally
}

/** Both consumers have to see the same; the counts are those of Java's. Without Java, which the embedded broker does not need, ours is alone. */
async function readBoth(run: Run, newTally: () => Tally): Promise<Tally> {
  const { bed, setting } = run.context
  if (!bed.hasJava) {
    const tally = newTally()
    await readWithOurs(bed.output.bootstrapServers, run.output, tally)
    return tally
  }
  // Java first: it waits for transactions that somebody left open.
  const java = newTally()
  const { bootstrapServers } = bed.output
  await readWithJava({ bootstrapServers, spawnJava: bed.spawnJava }, run.output, setting.partitions, java).catch(
    (error: Error) => run.problem(error.message),
  )
  const ours = newTally()
  await readWithOurs(bootstrapServers, run.output, ours)
  const [counts, ourCounts] = [java.counts(), ours.counts()]
  if (JSON.stringify(counts) !== JSON.stringify(ourCounts))
    run.problem(`Java's consumer and ours disagree: ${JSON.stringify(counts)}, ${JSON.stringify(ourCounts)}`)
  return java
}

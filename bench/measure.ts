/** Running contenders in turn, and what is reported of them. Knows nothing of Kafka. */

import { readFileSync } from 'node:fs'

/** What one run of one contender gave. */
export interface Sample {
  records: number
  /** What of the run counts is said in README.md, case by case. */
  seconds: number
  /** User and system time of the whole process, start-up included; undefined where there is no `/proc`. */
  cpuSeconds: number | undefined
  /** The largest resident size that was seen, in units of 10^6 bytes; only where it is measured. */
  residentMegabytes?: number
}

export interface Contender {
  name: string
  side: 'ours' | 'peers'
  run(): Promise<Sample>
}

type Numbers = Record<string, number>

/** What every case reports; a case may add keys of its own. */
export interface CaseResult {
  /** Records per second, medians, unless `unit` says otherwise. */
  ours: Numbers
  peers: Numbers
  ratios: Numbers
  /** The same of CPU seconds per million records; below 1, ours needs less. */
  cpuRatios?: Numbers
  cpuSecondsPerMillion?: Numbers
  /** Records per run, fewer for slow peers. */
  records?: Numbers
  /** Every round, in the order in which they were run. */
  samples?: Record<string, number[]>
  /** The largest of all rounds and contenders, and of each contender. */
  residentMegabytes?: number
  residentMegabytesOf?: Numbers
  [more: string]: unknown
}

export interface Race {
  rounds: number
  /** Names of the contenders to run; all when omitted. */
  only: readonly string[] | undefined
  /** Runs something on an older Millrace. Then each of ours races with itself from there, and the peers stay out. */
  before?: (<T>(run: () => Promise<T>) => Promise<T>) | undefined
  progress: (text: string) => void
}

/**
 * Runs every contender once per round, each round beginning with another one, so that none always follows the same neighbour.
 *
 * @param pairs which ratios to report, as `ours/peer`; every one of ours with every peer when omitted
 */
export async function race(
  contenders: readonly Contender[],
  options: Race,
  pairs?: readonly string[],
): Promise<CaseResult> {
  const chosen = contenders.filter(({ name }) => options.only?.includes(name) ?? true)
  const field = options.before === undefined ? chosen : withBefore(chosen, options.before)
  const samples = new Map<string, Sample[]>(field.map(({ name }) => [name, []]))
  for (let round = 0; round < options.rounds; round++) {
    for (let turn = 0; turn < field.length; turn++) {
      const contender = field[(round + turn) % field.length]!
      const sample = await contender.run()
      samples.get(contender.name)!.push(sample)
      options.progress(`round ${round + 1}/${options.rounds}  ${contender.name.padEnd(16)} ${describe(sample)}`)
    }
  }
  return summarize(field, samples, options.before === undefined ? pairs : beforeAndAfter(field))
}

const BEFORE = '-before'

/** Each of ours and, next to it, the same from the other checkout. */
function withBefore(field: readonly Contender[], before: NonNullable<Race['before']>): Contender[] {
  return field
    .filter(({ side }) => side === 'ours')
    .flatMap((ours) => [ours, { name: ours.name + BEFORE, side: 'peers', run: () => before(() => ours.run()) }])
}

function beforeAndAfter(field: readonly Contender[]): string[] {
  return field.flatMap(({ name, side }) => (side === 'ours' ? [`${name}/${name}${BEFORE}`] : []))
}

function summarize(
  field: readonly Contender[],
  samples: ReadonlyMap<string, Sample[]>,
  pairs?: readonly string[],
): CaseResult {
  const of = (side: Contender['side']) => field.filter((contender) => contender.side === side).map(({ name }) => name)
  const each = (names: readonly string[], measure: (all: Sample[]) => number): Numbers =>
    Object.fromEntries(names.map((name) => [name, measure(samples.get(name)!)]))
  const names = field.map(({ name }) => name)
  const rates = each(names, (all) => Math.round(median(all.map(rateOf))))
  const cpu = each(names, (all) =>
    round3(median(all.map(({ cpuSeconds, records }) => ((cpuSeconds ?? NaN) / records) * 1e6))),
  )
  const peaks = names.flatMap((name) => {
    const all = samples.get(name)!.flatMap(({ residentMegabytes }) => residentMegabytes ?? [])
    return all.length === 0 ? [] : [[name, Math.max(...all)] as const]
  })
  const compared = pairs ?? of('ours').flatMap((ours) => of('peers').map((peer) => `${ours}/${peer}`))
  const ratiosOf = (numbers: Numbers): Numbers =>
    Object.fromEntries(
      compared.flatMap((pair) => {
        const [ours, peer] = pair.split('/').map((name) => numbers[name])
        return Number.isFinite(ours) && Number.isFinite(peer) ? [[pair, round3(ours! / peer!)] as const] : []
      }),
    )
  return {
    ours: pick(rates, of('ours')),
    peers: pick(rates, of('peers')),
    ratios: ratiosOf(rates),
    cpuRatios: ratiosOf(cpu),
    cpuSecondsPerMillion: Object.fromEntries(Object.entries(cpu).filter(([, seconds]) => Number.isFinite(seconds))),
    records: each(names, (all) => all[0]!.records),
    samples: Object.fromEntries(
      [...samples].map(([name, all]) => [name, all.map((sample) => Math.round(rateOf(sample)))]),
    ),
    ...(peaks.length === 0
      ? {}
      : {
          residentMegabytes: Math.max(...peaks.map(([, peak]) => peak)),
          residentMegabytesOf: Object.fromEntries(peaks),
        }),
  }
}

export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b)
  const middle = sorted.length >> 1
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2
}

/** Three decimals: enough for a ratio, and no illusion of more. */
export function round3(value: number): number {
  return Math.round(value * 1000) / 1000
}

function rateOf({ records, seconds }: Sample): number {
  return records / seconds
}

function describe(sample: Sample): string {
  const rate = `${(rateOf(sample) / 1e6).toFixed(2)} million records/s`
  const cpu = sample.cpuSeconds === undefined ? '' : `, ${sample.cpuSeconds.toFixed(1)} CPU s`
  const resident = sample.residentMegabytes === undefined ? '' : `, ${sample.residentMegabytes} MB resident`
  return `${rate} (${sample.records} in ${sample.seconds.toFixed(2)} s${cpu}${resident})`
}

function pick(numbers: Numbers, names: readonly string[]): Numbers {
  return Object.fromEntries(names.map((name) => [name, numbers[name]!]))
}

/**
 * CPU seconds of all child processes that have ended so far, their own children included; undefined where there is no `/proc`.
 *
 * The difference around one child is what that child cost, provided that no other ends in between.
 */
export function cpuOfEndedChildren(): number | undefined {
  try {
    const stat = readFileSync('/proc/self/stat', 'utf8')
    // After the name in brackets, which may hold spaces: fields 3 and up. 16 and 17 are cutime and cstime, in ticks of 10 ms.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
    return (Number(fields[13]) + Number(fields[14])) / 100
  } catch {
    return undefined
  }
}

/** The largest resident size that a living process ever had, in bytes; 0 when it is gone or there is no `/proc`. */
export function peakResidentBytes(pid: number): number {
  try {
    return Number(/VmHWM:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? 0) * 1024
  } catch {
    return 0
  }
}

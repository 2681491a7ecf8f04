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
  /** Times that a case measures besides, by name: percentiles in `latency`, time to the first record in `partitions`. */
  milliseconds?: Numbers
}

export type Numbers = Record<string, number>

export interface Contender {
  name: string
  side: 'ours' | 'peers'
  run(): Promise<Sample>
}

/** What every case reports; a case may add keys of its own. */
export interface CaseResult {
  /** Records per second, medians, unless `unit` says otherwise. */
  ours: Numbers
  peers: Numbers
  ratios: Numbers
  /** The same of CPU seconds per million records; below 1, ours needs less. */
  cpuRatios?: Numbers
  /** By how much the first of ours and the same once more differ; where it is above `LARGEST_DRIFT`, there are no ratios. */
  drift?: Drift
  cpuSecondsPerMillion?: Numbers
  /** Records per run, fewer for slow peers. */
  records?: Numbers
  /** Every round, in the order in which they were run. */
  samples?: Record<string, number[]>
  /** The largest of all rounds and contenders, and of each contender. */
  residentMegabytes?: number
  residentMegabytesOf?: Numbers
  /** Medians of the times that runs measure besides, by contender. */
  milliseconds?: Record<string, Numbers>
  [more: string]: unknown
}

/** What an A/A control shows: shares, 0.05 is 5 %. */
export interface Drift {
  /** Of rates, or of what else a case reports. */
  figure: number
  cpu: number | undefined
}

/** With more than this between two runs of the same contender, a ratio says nothing. */
export const LARGEST_DRIFT = 0.05

export interface Race {
  rounds: number
  /** Names of the contenders to run; all when omitted. */
  only: readonly string[] | undefined
  /** Runs something on an older Millrace. Then each of ours races with itself from there, and the peers stay out. */
  before?: (<T>(run: () => Promise<T>) => Promise<T>) | undefined
  progress: (text: string) => void
}

/**
 * Runs every contender once per round. Each other round begins with another one, and each other round goes backwards, so that every
 * pair is run in both orders.
 *
 * The first of ours runs twice per round: what differs between the two is noise. When that is more than `LARGEST_DRIFT`, no ratio is
 * reported.
 *
 * @param pairs which ratios to report, as `ours/peer`; every one of ours with every peer when omitted
 * @param figureOf what counts of a run; records per second when omitted
 */
export async function race(
  contenders: readonly Contender[],
  options: Race,
  pairs?: readonly string[],
  figureOf: (sample: Sample) => number = rateOf,
): Promise<CaseResult> {
  const chosen = contenders.filter(({ name }) => options.only?.includes(name) ?? true)
  const field = options.before === undefined ? chosen : withBefore(chosen, options.before)
  const first = field.find(({ side }) => side === 'ours')
  const again: Contender[] = first === undefined ? [] : [{ ...first, name: `${first.name}${AGAIN}` }]
  const samples = new Map<string, Sample[]>([...field, ...again].map(({ name }) => [name, []]))
  for (let round = 0; round < options.rounds; round++) {
    for (const contender of orderOf([...field, ...again], round)) {
      const sample = await contender.run()
      samples.get(contender.name)!.push(sample)
      options.progress(`round ${round + 1}/${options.rounds}  ${contender.name.padEnd(16)} ${describe(sample)}`)
    }
  }
  const result = summarize(field, samples, figureOf, options.before === undefined ? pairs : beforeAndAfter(field))
  return first === undefined ? result : controlled(result, first.name, samples, figureOf, options.progress)
}

const AGAIN = '-again'

function orderOf(field: readonly Contender[], round: number): Contender[] {
  const from = (round >> 1) % field.length
  const order = [...field.slice(from), ...field.slice(0, from)]
  return round % 2 === 0 ? order : order.toReversed()
}

/** Drops the ratios of a run in which the same work differed from itself. */
function controlled(
  result: CaseResult,
  first: string,
  samples: ReadonlyMap<string, Sample[]>,
  figureOf: (sample: Sample) => number,
  progress: Race['progress'],
): CaseResult {
  const driftOf = (measure: (sample: Sample) => number | undefined): number | undefined => {
    const [a, b] = [first, first + AGAIN].map((name) => median(samples.get(name)!.map((each) => measure(each) ?? NaN)))
    return Number.isFinite(a! / b!) ? round3(Math.abs(a! / b! - 1)) : undefined
  }
  const drift = { figure: driftOf(figureOf)!, cpu: driftOf(cpuPerMillion) }
  const refused = (what: string, share: number | undefined): boolean => {
    if (share === undefined || share <= LARGEST_DRIFT) return false
    progress(`no ratios of ${what}: ${first} differs from itself by ${(share * 100).toFixed(1)} %`)
    return true
  }
  return {
    ...result,
    ratios: refused('what is measured', drift.figure) ? {} : result.ratios,
    cpuRatios: refused('CPU', drift.cpu) ? {} : (result.cpuRatios ?? {}),
    drift,
  }
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
  figureOf: (sample: Sample) => number,
  pairs?: readonly string[],
): CaseResult {
  const of = (side: Contender['side']) => field.filter((contender) => contender.side === side).map(({ name }) => name)
  const each = (names: readonly string[], measure: (all: Sample[]) => number): Numbers =>
    Object.fromEntries(names.map((name) => [name, measure(samples.get(name)!)]))
  const names = field.map(({ name }) => name)
  const rates = each(names, (all) => precise(median(all.map(figureOf))))
  const cpu = each(names, (all) => round3(median(all.map(cpuPerMillion))))
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
      [...samples].map(([name, all]) => [name, all.map((sample) => precise(figureOf(sample)))]),
    ),
    ...(peaks.length === 0
      ? {}
      : {
          residentMegabytes: Math.max(...peaks.map(([, peak]) => peak)),
          residentMegabytesOf: Object.fromEntries(peaks),
        }),
    ...timesOf(samples),
  }
}

function timesOf(samples: ReadonlyMap<string, Sample[]>): Pick<CaseResult, 'milliseconds'> {
  const timed = [...samples].flatMap(([name, all]) => {
    const times = all.flatMap(({ milliseconds }) => (milliseconds === undefined ? [] : [milliseconds]))
    if (times.length === 0) return []
    const names = Object.keys(times[0]!)
    return [
      [name, Object.fromEntries(names.map((each) => [each, round3(median(times.map((one) => one[each]!)))]))] as const,
    ]
  })
  return timed.length === 0 ? {} : { milliseconds: Object.fromEntries(timed) }
}

/**
 * One result of several races, each with a control of its own. A peer that is the same in all of them is called `X-NAME` in race `X`;
 * their ratio is then called `X/NAME`.
 */
export function merge(results: readonly CaseResult[]): CaseResult {
  type Keyed =
    | 'ours'
    | 'peers'
    | 'ratios'
    | 'cpuRatios'
    | 'cpuSecondsPerMillion'
    | 'records'
    | 'samples'
    | 'milliseconds'
  const all = (key: Keyed) =>
    Object.fromEntries(
      results
        .flatMap((each) => Object.entries<unknown>(each[key] ?? {}))
        .map(([name, value]) => [name.replace(/^(.*)\/\1-(?!before$)/, '$1/'), value]),
    ) as never
  const peaks = results.flatMap(({ residentMegabytes }) => residentMegabytes ?? [])
  return {
    ours: all('ours'),
    peers: all('peers'),
    ratios: all('ratios'),
    cpuRatios: all('cpuRatios'),
    cpuSecondsPerMillion: all('cpuSecondsPerMillion'),
    records: all('records'),
    samples: all('samples'),
    ...(results.some(({ milliseconds }) => milliseconds !== undefined) ? { milliseconds: all('milliseconds') } : {}),
    ...(peaks.length === 0 ? {} : { residentMegabytes: Math.max(...peaks) }),
    drifts: Object.fromEntries(results.map(({ ours, drift }) => [Object.keys(ours)[0] ?? '', drift])),
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

/** Seven digits: whole records per second, thousandths of a millisecond. */
function precise(value: number): number {
  return Number(value.toPrecision(7))
}

export function cpuPerMillion({ cpuSeconds, records }: Sample): number {
  return ((cpuSeconds ?? NaN) / records) * 1e6
}

function rateOf({ records, seconds }: Sample): number {
  return records / seconds
}

function describe(sample: Sample): string {
  const rate = `${(rateOf(sample) / 1e6).toFixed(2)} million records/s`
  const cpu = sample.cpuSeconds === undefined ? '' : `, ${sample.cpuSeconds.toFixed(1)} CPU s`
  const times = Object.entries(sample.milliseconds ?? {}).map(([name, value]) => `, ${name} ${value.toFixed(2)} ms`)
  const resident = sample.residentMegabytes === undefined ? '' : `, ${sample.residentMegabytes} MB resident`
  return `${rate} (${sample.records} in ${sample.seconds.toFixed(2)} s${cpu}${resident}${times.join('')})`
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

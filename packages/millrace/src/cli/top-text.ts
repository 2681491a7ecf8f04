/** A status as text for a terminal. What matters most comes first, as a terminal may be low. */
import { formatBytes, formatCount } from '../options/units.ts'
import type { Status } from '../serve/index.ts'

type Pipeline = Status['pipelines'][number]

const FEW = 5

/** @param columns of the terminal */
export function topText(status: Status, url: string, columns = Infinity): string {
  const { version, pid, uptimeSeconds, process, pipelines, events } = status
  const late = process.delaySeconds >= 0.1 ? `  event loop late by ${seconds(process.delaySeconds)}` : ''
  const lines = [
    `Millrace ${version}  process ${pid}  up ${seconds(uptimeSeconds)}  ${formatBytes(process.residentBytes)}${late}  ${url}`,
    ...pipelines.flatMap((pipeline) => ['', ...linesOf(pipeline)]),
    ...(pipelines.length === 0 ? ['', 'No pipeline runs.'] : []),
    ...(events.length === 0 ? [] : ['', 'Events']),
    ...events
      .toReversed()
      .slice(0, FEW)
      .map(({ at, message }) => `  ${at.slice(11, 19)}  ${message}`),
  ]
  return `${lines.map((line) => line.slice(0, columns)).join('\n')}\n`
}

function linesOf(pipeline: Pipeline): readonly string[] {
  const { name, state, ready, reasons, read, written, lag, lagSeconds, now, failed, nodes, partitions, failures } =
    pipeline
  const sum = (counts: { readonly [code: string]: number }): number =>
    Object.values(counts).reduce((total, count) => total + count, 0)
  const health = state === 'running' ? (ready ? 'healthy' : 'NOT READY') : state === 'failed' ? 'FAILED' : state
  const perSecond = (rate: number | undefined): string =>
    rate === undefined ? '' : ` ${formatCount(Math.round(rate))}/s`
  const fates = [
    ['skipped', sum(failed.skipped)],
    ['dead letters', sum(failed.deadLettered)],
    ['retried', sum(failed.retried)],
  ] as const
  const numbers = [
    `read${perSecond(now?.readPerSecond)} (${formatCount(read.records)})`,
    `written${perSecond(now?.writtenPerSecond)} (${formatCount(written.records)})`,
    // Sources that have partitions have a lag, known or not.
    ...(lag === undefined && partitions.length === 0 ? [] : [lagText(lag, lagSeconds)]),
    ...(now === undefined || now.latencySeconds === null ? [] : [`latency ${seconds(now.latencySeconds)}`]),
    ...fates.filter(([, count]) => count > 0).map(([fate, count]) => `${fate} ${formatCount(count)}`),
  ]
  const share = (part: number): string => `${Math.round(part * 100)} %`
  const activity =
    // Of a program it is not known.
    now === undefined || now.busy + now.backpressured + now.idle === 0
      ? []
      : [`  busy ${share(now.busy)}  backpressured ${share(now.backpressured)}  idle ${share(now.idle)}`]
  const behind = partitions.filter(({ lag, problem }) => problem !== undefined || lag !== 0).slice(0, FEW)
  return [
    `${name}  ${health}`,
    ...reasons.map(({ message }) => `  ! ${message}`),
    `  ${numbers.join('  ')}`,
    ...activity,
    `  ${nodes.map(({ component, names, breaker, now }) => [component, ...names, ...(breaker === undefined || breaker === 'closed' ? [] : [`(circuit ${breaker})`]), ...busiest(now)].join(' ')).join(' > ')}`,
    ...behind.map(
      ({ topic, partition, lag, lagSeconds, problem }) =>
        `  ${topic}-${partition}  ${problem ?? lagText(lag, lagSeconds)}`,
    ),
    ...failures.slice(0, FEW).map(({ fate, code, count, topic, partition, offset, message }) => {
      const place = topic === undefined ? '' : ` ${topic}-${partition ?? '?'}@${offset ?? '?'}`
      return `  ${fate} ${formatCount(count)}  ${code}${place}  ${message.replaceAll(/\s+/g, ' ')}`
    }),
  ]
}

/** What a part of the pipeline does most of the time, where that says something. */
function busiest(now: Pipeline['nodes'][number]['now']): readonly string[] {
  if (now === undefined) return []
  const state = now.busy >= now.backpressured ? 'busy' : 'backpressured'
  return now[state] < 0.1 ? [] : [`(${state} ${Math.round(now[state] * 100)} %)`]
}

function lagText(lag: number | undefined, lagSeconds: number | undefined): string {
  if (lag === undefined) return 'lag ?'
  return `lag ${formatCount(lag)}${lagSeconds === undefined ? '' : `, ${seconds(lagSeconds)}`}`
}

function seconds(value: number): string {
  if (value === 0) return '0 s'
  if (value < 1) return `${Math.max(1, Math.round(value * 1000))} ms`
  return value < 120
    ? `${Math.round(value)} s`
    : value < 7200
      ? `${Math.round(value / 60)} min`
      : `${Math.round(value / 3600)} h`
}

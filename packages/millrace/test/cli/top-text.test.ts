import { expect, test } from 'vitest'
import { topText } from '../../src/cli/top-text.ts'
import { StageError } from '../../src/errors/index.ts'
import { Monitor } from '../../src/serve/index.ts'
import { fakePipeline, partitionStatus } from '../support/watched.ts'

const monitor = new Monitor('1.2.3')
const pipeline = fakePipeline('orders')
Object.assign(pipeline, { records: 4711, lag: 17, breakerStates: [{ id: 'sink', state: 'open' }] })
pipeline.partitions = [partitionStatus(0), partitionStatus(3, { lag: 17, lagSeconds: 90 })]
pipeline.failures.add('skipped', new StageError('no number', { topic: 'orders', partition: 3, offset: 12n }))
monitor.add(pipeline)
monitor.event('warn', 'The circuit breaker of the sink is open', { event: 'breaker.open' })

test('shows what matters first: health and why, numbers, partitions that are behind, failures', () => {
  const lines = topText(monitor.status(), 'http://x').split('\n')
  expect(lines[0]).toMatch(/^Millrace 1\.2\.3 {2}process \d+ {2}up .* {2}http:\/\/x$/)
  expect(lines.slice(2, 8)).toEqual([
    'orders  NOT READY',
    '  ! The circuit breaker of "sink" is open',
    '  read (4.71k)  written (4.71k)  lag 17',
    '  kafka orders > $match > kafka out (circuit open)',
    '  orders-3  lag 17, 90 s',
    '  skipped 1  STAGE_FAILED orders-3@12  no number',
  ])
  expect(lines.at(-2)).toMatch(/^ {2}\d\d:\d\d:\d\d {2}The circuit breaker of the sink is open$/)
})

test('says where the lag is not known, and nothing of a lag where there is none', () => {
  const monitored = new Monitor('1.2.3')
  const unknown = fakePipeline('unknown')
  unknown.partitions = [partitionStatus(0, { lag: undefined, lagSeconds: undefined })]
  const none = fakePipeline('none')
  for (const one of [unknown, none]) Object.assign(one, { lag: undefined })
  monitored.add(unknown)
  monitored.add(none)
  const text = topText(monitored.status(), 'http://x')
  expect(text).toMatch(/^unknown .*\n {2}read \(0\) {2}written \(0\) {2}lag \?$/m)
  expect(text).toContain('orders-0  lag ?')
  expect(text).toMatch(/^none .*\n {2}read \(0\) {2}written \(0\)$/m)
})

test('names what the parts of a pipeline do, where they are not idle', () => {
  const { pipelines, ...status } = monitor.status()
  const nodes = pipelines[0]!.nodes.map((node, i) => ({
    ...node,
    now: { busy: [0.05, 0.9, 0.1][i]!, backpressured: [0.6, 0.1, 0.05][i]!, idle: 0 },
  }))
  const text = topText({ ...status, pipelines: [{ ...pipelines[0]!, nodes }] }, 'http://x')
  expect(text).toContain(
    '  kafka orders (backpressured 60 %) > $match (busy 90 %) > kafka out (circuit open) (busy 10 %)\n',
  )
})

test('says nothing of what a program spends its time on, which is not known', () => {
  const { pipelines, ...status } = monitor.status()
  const at = { at: 0, readPerSecond: 1, writtenPerSecond: 1, bytesPerSecond: 1 }
  const unknown = { ...at, lag: null, lagSeconds: null, latencySeconds: null, busy: 0, backpressured: 0, idle: 0 }
  const textOf = (now: typeof unknown): string =>
    topText({ ...status, pipelines: [{ ...pipelines[0]!, now }] }, 'http://x')
  expect(textOf(unknown)).not.toContain('idle')
  expect(textOf({ ...unknown, idle: 1 })).toContain('busy 0 %  backpressured 0 %  idle 100 %')
})

test('no line is longer than the terminal is wide', () => {
  const widths = topText(monitor.status(), 'http://x', 30)
    .split('\n')
    .map(({ length }) => length)
  expect(Math.max(...widths)).toBe(30)
})

import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { cli, type RunningCli, startCli } from '../support/cli.ts'

let directory: string
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'millrace-dev-'))
})
afterEach(() => rmSync(directory, { recursive: true, force: true }))

/** A pipeline of a cluster that is far away, with credentials. */
const pipeline = (least: number): string => `
source:
  type: kafka
  options: { topic: orders, bootstrapServers: "kafka.example.com:9092", groupId: etl, security.protocol: SSL }
stages:
  - $match: { amount: { $gte: ${least} } }
sink:
  type: kafka
  options: { topic: large, bootstrapServers: "kafka.example.com:9092", security.protocol: SSL }
`

interface Dev {
  readonly running: RunningCli
  readonly file: string
  /** What is on standard output so far. */
  lines(): string[]
}

function start(text: string, ...args: string[]): Dev {
  const file = join(directory, 'orders.yaml')
  writeFileSync(file, text)
  const running = startCli(['dev', file, ...args])
  let stdout = ''
  running.child.stdout!.on('data', (piece: string) => (stdout += piece))
  return { running, file, lines: () => stdout.split('\n').slice(0, -1) }
}

async function stop({ running }: Dev): Promise<string> {
  running.child.kill('SIGINT')
  const { code, stderr } = await running.ended
  expect(code).toBe(0)
  return stderr
}

describe('millrace dev', () => {
  test('feeds a file to the pipeline, prints what it writes, and runs it again when it changes', async () => {
    const input = join(directory, 'input.jsonl')
    writeFileSync(input, [50, 150, 250].map((amount) => JSON.stringify({ amount })).join('\n'))
    const dev = start(pipeline(100), '--input', input, '--partitions', '1')
    await expect.poll(() => dev.lines()).toEqual(['large  {"amount":150}', 'large  {"amount":250}'])
    writeFileSync(dev.file, pipeline(200).replace('groupId: etl', 'groupId: other'))
    await expect.poll(() => dev.lines()).toHaveLength(3)
    expect(dev.lines().at(-1)).toBe('large  {"amount":250}')
    const stderr = await stop(dev)
    expect(stderr).toMatch(/^Kafka at 127\.0\.0\.1:\d+, in memory\n/)
    expect(stderr).toContain(`${dev.file} has changed: running it again`)
    expect(stderr).toContain(`${dev.file}: stopped after 2 runs`)
  })

  test('prints the problems of a file that was changed, and waits for the next change', async () => {
    const dev = start(pipeline(0), '--records')
    await expect.poll(() => dev.lines().length).toBeGreaterThan(2)
    expect(JSON.parse(dev.lines()[0]!)).toMatchObject({ topic: 'large', value: { order_id: expect.any(Number) } })
    writeFileSync(dev.file, pipeline(0).replace('$match', '$mach'))
    await dev.running.stderrHas('Unknown stage "$mach" (did you mean "$match")')
    const before = dev.lines().length
    writeFileSync(dev.file, pipeline(0))
    await expect.poll(() => dev.lines().length).toBeGreaterThan(before + 2)
    expect(await stop(dev)).toContain('Waiting for a change of the file')
  })

  test('runs a stage graph whose producer and consumer name brokers of their own', async () => {
    const example = join(import.meta.dirname, '../../../../examples/kafka-etl-example.toml')
    const text = readFileSync(example, 'utf8').replaceAll(
      '${KAFKA_BOOTSTRAP_SERVERS:-localhost:9092}',
      'k.example.com:9092',
    )
    const file = join(directory, 'graph.toml')
    writeFileSync(file, text)
    const running = startCli(['dev', file, '--rate', '100'])
    let stdout = ''
    running.child.stdout!.on('data', (piece: string) => (stdout += piece))
    await expect.poll(() => stdout).toContain('processed-events  {')
    running.child.kill('SIGINT')
    expect((await running.ended).code).toBe(0)
  })

  test.each([
    { name: 'standard input', args: ['-'], problem: 'Cannot watch standard input for changes' },
    { name: 'a file that is not there', args: ['missing.yaml'], problem: 'Cannot read' },
  ])('refuses $name', async ({ args, problem }) => {
    const { code, stderr } = await cli(['dev', ...args])
    expect(code).toBe(2)
    expect(stderr).toContain(problem)
  })
})

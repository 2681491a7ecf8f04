import { spawn } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type EmbeddedBroker, startBroker } from '../../../src/broker/index.ts'
import { KafkaSink } from '../../../src/index.ts'

const PROGRAMS = join(import.meta.dirname, '../../fixtures/programs')
const [KEYS, RECORDS, PARTITIONS, KILLS] = [24, 2400, 3, 4]

let broker: EmbeddedBroker
let directory: string
beforeAll(async () => {
  broker = await startBroker({ topics: { orders: PARTITIONS, busy: 3 } })
  directory = await mkdtemp(join(tmpdir(), 'millrace-killed-'))
})
afterAll(async () => {
  await broker.close()
  await rm(directory, { recursive: true })
})

interface Line {
  readonly what: 'begin' | 'end'
  readonly partition: number
  readonly offset: number
  readonly key: string
  readonly value: number
}

function journalOf(file: string): Line[] {
  if (!existsSync(file)) return []
  return readFileSync(file, 'utf8')
    .split('\n')
    .slice(0, -1)
    .map((line) => {
      const [what, partition, offset, key, value] = line.split(' ')
      return {
        what: what as Line['what'],
        partition: Number(partition),
        offset: Number(offset),
        key: key!,
        value: Number(value),
      }
    })
}

test('handlers by key whose process is killed lose nothing, keep the order of each key, and repeat only what was not committed', async () => {
  const { bootstrapServers } = broker
  await using sink = new KafkaSink({ bootstrapServers, topic: 'orders' })
  await sink.write(
    Array.from({ length: RECORDS }, (_, i) => ({ key: `k${i % KEYS}`, value: `${Math.floor(i / KEYS)}` })),
  )
  const lives: Line[][] = []
  const committed: number[][] = [Array.from({ length: PARTITIONS }, () => 0)]
  for (let life = 0; life <= KILLS; life++) {
    const journal = join(directory, `journal-${life}`)
    const child = spawn(
      process.execPath,
      [join(PROGRAMS, 'handle-by-key.ts'), bootstrapServers, 'orders', 'killed', journal],
      {
        stdio: ['ignore', 'ignore', 'inherit'],
      },
    )
    const ended = new Promise((resolve) => child.once('exit', resolve))
    const isDone = (): boolean => {
      const done = new Set([...lives.flat(), ...journalOf(journal)].filter(({ what }) => what === 'end').map(idOf))
      return life < KILLS ? journalOf(journal).length > RECORDS / KILLS : done.size === RECORDS
    }
    await expect.poll(isDone, { interval: 100 }).toBe(true)
    child.kill('SIGKILL')
    await ended
    lives.push(journalOf(journal))
    committed.push(Array.from({ length: PARTITIONS }, (_, partition) => committedOf(partition)))
  }
  const done = new Set<string>()
  for (const [life, lines] of lives.entries()) {
    for (const key of new Set(lines.map((line) => line.key))) {
      const own = lines.filter((line) => line.key === key)
      // One after the other: each ends before the next one of its key begins.
      for (const [i, { what, value }] of own.entries()) {
        expect(what).toBe(i % 2 === 0 ? 'begin' : 'end')
        if (i > 0) expect(value).toBe(what === 'end' ? own[i - 1]!.value : own[i - 1]!.value + 1)
      }
    }
    for (const line of lines)
      if (line.what === 'begin') expect(line.offset).toBeGreaterThanOrEqual(committed[life]![line.partition]!)
    for (const line of lines) if (line.what === 'end') done.add(idOf(line))
    // What is committed was handled to its end.
    for (const [partition, end] of committed[life + 1]!.entries())
      for (let offset = 0; offset < end; offset++) expect(done).toContain(`${partition} ${offset}`)
  }
  expect(done.size).toBe(RECORDS)
  expect(committed.at(-2)!.some((offset) => offset > 0)).toBe(true)
}, 120_000)

function idOf({ partition, offset }: Line): string {
  return `${partition} ${offset}`
}

function committedOf(partition: number): number {
  return Number(
    broker
      .groups()
      .find(({ id }) => id === 'killed')
      ?.offsets.find((each) => each.partition === partition)?.offset ?? 0,
  )
}

test('a program whose busy source and sink are closed ends by itself, and has lost nothing that was acknowledged', async () => {
  const child = spawn(process.execPath, [join(PROGRAMS, 'close-under-load.ts'), broker.bootstrapServers, 'busy'], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  let text = ''
  child.stdout.setEncoding('utf8').on('data', (chunk: string) => (text += chunk))
  // An unhandled rejection would end it with 1, and an open handle never.
  expect(await new Promise((resolve) => child.once('exit', resolve))).toBe(0)
  const records = await broker.topic('busy').records()
  expect(Number(text)).toBeGreaterThanOrEqual(200)
  expect(records.length).toBe(Number(text))
})

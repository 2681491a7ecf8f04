/**
 * Pipelines drawn at random: every record is written, dropped by a stage or disposed of, once, whatever the delivery, the error policy,
 * the size of batches and the number of runs. `RANDOM_PIPELINES=first..last` runs other seeds.
 */
import { describe, expect, test } from 'vitest'
import { KafkaSource } from '../../src/index.ts'
import { bootstrapServers, brokerAvailable, uniqueName } from '../support/broker.ts'
import { Dice } from '../support/differential-script.ts'
import { fromTopic, type PipelineSpec, runHere, toTopic } from '../support/pipelines.ts'
import { topicBed, type TopicBed } from '../support/topics.ts'

const [FIRST, LAST] = (process.env['RANDOM_PIPELINES'] ?? '1..6').split('..').map(Number) as [number, number]

type Kind = 'number' | 'text' | 'not JSON' | 'tombstone' | 'too large'
interface Made {
  readonly n: number
  readonly kind: Kind
  readonly value: string | null
}

interface Shape {
  readonly stages: readonly unknown[]
  /** Documents of a record that come out when it does not fail. */
  readonly each: (made: Made) => number
  /** Kinds on which a stage or the codec fails. */
  readonly fails: readonly Kind[]
}

const isNumber = ({ kind }: Made): boolean => kind === 'number' || kind === 'too large'
const SHAPES: { readonly [name: string]: Shape } = {
  verbatim: { stages: [], each: () => 1, fails: [] },
  set: { stages: [{ $set: { m: { $add: ['$n', 1] } } }], each: () => 1, fails: ['not JSON', 'text'] },
  match: {
    stages: [{ $match: { n: { $gte: 3 } } }],
    each: (made) => Number(isNumber(made) && made.n >= 3),
    fails: ['not JSON'],
  },
  'match and set': {
    stages: [{ $match: { n: { $mod: [2, 0] } } }, { $set: { m: 1 } }],
    each: (made) => Number(isNumber(made) && made.n % 2 === 0),
    fails: ['not JSON'],
  },
  unwind: {
    stages: [{ $set: { i: [1, 2, 3] } }, { $unwind: '$i' }],
    each: ({ kind }) => (kind === 'tombstone' ? 1 : 3),
    fails: ['not JSON'],
  },
  'filter.apply': {
    stages: [{ 'filter.apply': { column: 'n', operator: '>=', value: 5 } }],
    each: ({ kind, n }) => Number(kind !== 'tombstone' && n >= 5),
    fails: ['not JSON'],
  },
  fill: { stages: [{ $fill: { output: { q: { value: 1 } } } }], each: () => 1, fails: ['not JSON'] },
}

function made(n: number, kind: Kind): Made {
  const exact = '"big":9007199254740993,"price":1.50'
  const values: { readonly [kind in Kind]: string | null } = {
    number: `{"n":${n},${exact}}`,
    text: `{"n":"${n}",${exact}}`,
    'not JSON': `bad ${n}`,
    tombstone: null,
    'too large': `{"n":${n},${exact},"pad":"${'x'.repeat(4000)}"}`,
  }
  return { n, kind, value: values[kind] }
}

interface Drawn {
  readonly policy: 'fail' | 'skip' | 'deadLetter' | 'retry'
  readonly records: readonly Made[]
  /** Options of the producer of the input. */
  readonly input: { readonly batchBytes: number; readonly compression: string }
  readonly spec: PipelineSpec
  readonly isDouble: boolean
  readonly each: Shape['each']
  readonly isBad: (one: Made) => boolean
}

interface Topics {
  readonly input: string
  readonly out: string
  readonly second: string
  readonly dead: string
}

function errorPolicyOf(policy: Drawn['policy'], deadLetter: { readonly topic: string }): unknown {
  if (policy === 'retry') return { type: 'retry', maxRetries: 2, initialBackoff: 5, deadLetter }
  return policy === 'deadLetter' ? { type: 'deadLetter', deadLetter } : policy
}

function draw(dice: Dice, { input, out, second, dead }: Topics, groupId: string): Drawn {
  const policy = dice.of<Drawn['policy']>('fail', 'skip', 'deadLetter', 'retry')
  const name = dice.of(...Object.keys(SHAPES))
  const { stages, each, fails } = SHAPES[name]!
  const count = dice.of(7, 40, 300)
  const kinds: Kind[] = ['number', 'number', 'number', 'tombstone']
  if (policy !== 'fail') kinds.push('text', 'not JSON', 'too large')
  const isDouble = dice.roll(3) === 0
  const sometimes = <T>(value: T): T | undefined => (dice.roll(3) === 0 ? value : undefined)
  // Where a limit cuts off some documents of a record, the others come again.
  const limit = name === 'unwind' ? undefined : sometimes({ $limit: 1 + dice.roll(count) })
  const spec = {
    delivery: dice.of('at_least_once', 'exactly_once', 'at_most_once'),
    source: fromTopic(input, { groupId, maxRecords: sometimes(1 + dice.roll(count)) }),
    stages: [...stages, ...(limit === undefined ? [] : [limit])],
    sink: isDouble ? { fanout: [toTopic(out), toTopic(second)] } : toTopic(out),
    errorPolicy: errorPolicyOf(policy, { topic: dead }),
    runtime: sometimes({ microBatchSize: 1 + dice.roll(20) }),
    circuitBreaker: sometimes(true),
  }
  return {
    policy,
    records: Array.from({ length: count }, (_, n) => made(n, dice.of(...kinds))),
    input: { batchBytes: dice.of(300, 2000, 1_000_000), compression: dice.of('none', 'gzip') },
    spec,
    isDouble,
    each,
    isBad: (one) => fails.includes(one.kind) || (one.kind === 'too large' && each(one) > 0),
  }
}

/** Runs until everything is committed. @returns how many records were skipped */
async function runToTheEnd(bed: TopicBed, spec: PipelineSpec, input: string, groupId: string): Promise<number> {
  const end = await bed.end(input)
  let skipped = 0
  for (;;) {
    const { errors, read } = await runHere(spec)
    skipped += Object.values(errors.skipped).reduce((sum, count) => sum + count, 0)
    const committed = (await bed.groups.committedOffsets(groupId)).reduce((sum, { offset = 0 }) => sum + offset, 0)
    if (committed >= end || read.records === 0) return skipped
  }
}

/** Key, value and the header of each record, in order. */
async function contentOf(bed: TopicBed, topic: string): Promise<{ n: number; key: string; value: string | null }[]> {
  await bed.settled(topic)
  const options = { bootstrapServers: bootstrapServers(), topics: topic, untilEnd: true } as const
  await using source = new KafkaSource({ ...options, isolation: 'read_committed' })
  const found: { n: number; key: string; value: string | null }[] = []
  for await (const { key, value, headers } of source) {
    const own = headers.filter(([name]) => name === 'n').map(([, content]) => String(content))
    expect(own).toHaveLength(2)
    found.push({ n: Number(own[0]), key: String(key), value: value === null ? null : String(value) })
  }
  return found
}

const numbersOf = (list: readonly { readonly n: number }[]): number[] =>
  list.map(({ n }) => n).toSorted((a, b) => a - b)

// I1, I7
describe.skipIf(!brokerAvailable)('a pipeline drawn at random', () => {
  const bed = topicBed()
  const seeds = Array.from({ length: LAST - FIRST + 1 }, (_, i) => FIRST + i)

  test.each(seeds)('accounts for each record: seed %i', async (seed) => {
    const dice = new Dice(seed)
    const partitions = 1 + dice.roll(3)
    const output = { partitions: dice.of(partitions, 2), configs: { 'max.message.bytes': '3000' } }
    const [input, out, second, dead] = (await Promise.all(
      [{ partitions }, output, output, {}].map((topic) => bed().create(topic)),
    )) as [string, string, string, string]
    const groupId = uniqueName('group')
    const { policy, records, spec, isDouble, each, isBad, ...drawn } = draw(dice, { input, out, second, dead }, groupId)
    const headers = (n: number): [string, string][] => [
      ['n', String(n)],
      ['n', 'again'],
    ]
    const made = records.map(({ n, value }) => ({ key: `k${n}`, value, headers: headers(n) }))
    await bed().write(input, made, drawn.input)
    const skipped = await runToTheEnd(bed(), spec, input, groupId)

    const said = JSON.stringify({ ...spec, policy, records: records.length })
    const written = await contentOf(bed(), out)
    const want = records.filter((one) => !isBad(one)).flatMap((one) => Array.from({ length: each(one) }, () => one))
    expect(numbersOf(written), said).toEqual(numbersOf(want))
    if (isDouble) expect(numbersOf(await contentOf(bed(), second)), said).toEqual(numbersOf(want))
    const bad = records.filter(isBad)
    if (policy === 'skip') expect(skipped, said).toBe(bad.length)
    else expect(numbersOf(await contentOf(bed(), dead)), said).toEqual(numbersOf(bad))
    for (const { n, key, value } of written) {
      expect(key, said).toBe(`k${n}`)
      if (records[n]!.kind === 'tombstone') expect(value, said).toBeNull()
      else if (records[n]!.kind !== 'not JSON') expect(value, said).toContain('"big":9007199254740993,"price":1.50')
    }
  })
})

import { mkdtemp, readFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import type { ProducerRecord } from '../../src/records/record.ts'
import { bootstrapServers, brokerAvailable } from '../support/broker.ts'
import { cli } from '../support/cli.ts'
import { fromTopic, pipelineFile, runHere, toTopic } from '../support/pipelines.ts'
import { readTopic, type ReadRecord } from '../support/read-topic.ts'
import { topicBed } from '../support/topics.ts'

/** Two that are no JSON, one on which the stage fails, and good ones. */
const RECORDS: ProducerRecord[] = [
  { key: 'a', value: '{"in":{"id":1}}', timestampMs: 1_700_000_000_001 },
  { key: 'b', value: '{"half":', headers: [['trace', 'x']], timestampMs: 1_700_000_000_002 },
  { key: 'c', value: '{"id":3}', timestampMs: 1_700_000_000_003 },
  { key: null, value: Buffer.from([0xff, 0x00]), timestampMs: 1_700_000_000_004 },
  { key: 'e', value: '{"in":{"id":5}}', timestampMs: 1_700_000_000_005 },
]

/** Key of the record with which a transaction was committed: letters from a topic are put back in one. */
const COMMITTED = '\0\0\0\u0001'

describe.skipIf(!brokerAvailable)('deadletter replay', () => {
  const bed = topicBed()

  /** A pipeline that has run and left three dead letters. */
  async function afterRun(deadLetter: unknown) {
    const [from, to] = [await bed().create(), await bed().create()]
    await bed().write(from, RECORDS)
    const spec = {
      source: fromTopic(from),
      stages: [{ $replaceWith: '$in' }],
      sink: toTopic(to),
      errorPolicy: { deadLetter },
    }
    const { errors } = await runHere(spec)
    expect(errors.deadLettered).toEqual({ DECODE_FAILED: 2, STAGE_FAILED: 1 })
    return { from, to, spec, file: await pipelineFile(spec) }
  }

  const replay = async (
    ...args: string[]
  ): Promise<{ code: number; summary: string; result: { letters: number; filtered: number; noLetters: number } }> => {
    const { code, stdout, stderr } = await cli(['deadletter', 'replay', ...args, '--json'])
    expect(stderr).toBe('')
    return {
      code,
      ...(JSON.parse(stdout) as { summary: string; result: { letters: number; filtered: number; noLetters: number } }),
    }
  }

  async function recordsOf(topic: string): Promise<ReadRecord[]> {
    return (await readTopic(bed().cluster, topic)).records.filter(({ key }) => key !== COMMITTED)
  }

  /** What was written behind the first records. */
  async function added(topic: string, before: number): Promise<unknown[]> {
    const records = await recordsOf(topic)
    return records
      .slice(before)
      .map(({ key, value, headers, timestampMs }) => [key, value?.toString('latin1'), headers, timestampMs])
  }

  const ALL = [
    ['b', '{"half":', [['trace', 'x']], 1_700_000_000_002],
    ['c', '{"id":3}', [], 1_700_000_000_003],
    [null, '\u00ff\0', [], 1_700_000_000_004],
  ]

  test('shows what it would do, does it with --yes, exactly as the records were, and only once', async () => {
    const dead = await bed().create()
    const { from, file } = await afterRun({ topic: dead })
    const shown = await cli(['deadletter', 'replay', file])
    expect(
      shown.stdout
        .split('\n')
        .slice(0, 3)
        .map((line) => line.slice(0, line.indexOf(':'))),
    ).toEqual([`${from}/0@1  DECODE_FAILED`, `${from}/0@2  STAGE_FAILED`, `${from}/0@3  DECODE_FAILED`])
    expect(shown.stdout).toContain(
      `3 dead letters (2 DECODE_FAILED, 1 STAGE_FAILED) would be replayed to ${from}; add --yes to replay\n`,
    )
    expect(await added(from, 5)).toEqual([])
    expect(await replay(file, '--yes')).toMatchObject({
      code: 0,
      summary: `3 dead letters (2 DECODE_FAILED, 1 STAGE_FAILED) replayed to ${from}`,
      result: { letters: 3 },
    })
    expect(await added(from, 5)).toEqual(ALL)
    expect((await replay(file, '--yes')).summary).toBe('No dead letters to replay')
    expect(await added(from, 5)).toEqual(ALL)
  })

  test('continues where it ended, and can write elsewhere', async () => {
    const [dead, repair] = [await bed().create(), await bed().create()]
    await afterRun({ topic: dead })
    const args = ['--topic', dead, '-b', bootstrapServers(), '--to', repair, '--yes']
    expect((await replay(...args, '--max', '2')).result.letters).toBe(2)
    expect(await added(repair, 0)).toEqual(ALL.slice(0, 2))
    expect((await replay(...args)).result.letters).toBe(1)
    expect(await added(repair, 0)).toEqual(ALL)
  })

  test('takes only those with one error code, and leaves what is no letter alone', async () => {
    const dead = await bed().create()
    const { from, file } = await afterRun({ topic: dead })
    await bed().write(dead, [{ value: 'no letter' }])
    expect((await replay(file, '--code', 'STAGE_FAILED', '--yes')).result).toMatchObject({
      letters: 1,
      filtered: 2,
      noLetters: 1,
    })
    expect(await added(from, 5)).toEqual([ALL[1]])
  })

  // A replay with --code after one of all letters put those letters back once more.
  test.each(['topic', 'file'])('puts no letter of a %s back twice, whatever is selected', async (kind) => {
    const path = join(await mkdtemp(join(tmpdir(), 'millrace-')), 'dead.jsonl')
    const { from, file } = await afterRun(
      kind === 'topic' ? { topic: await bed().create() } : { type: 'file', options: { path } },
    )
    expect((await replay(file, '--code', 'STAGE_FAILED', '--yes')).result.letters).toBe(1)
    expect(await added(from, 5)).toEqual([ALL[1]])
    expect((await replay(file, '--yes')).result.letters).toBe(2)
    expect(await added(from, 5)).toEqual([ALL[1], ALL[0], ALL[2]])
    expect((await replay(file, '--code', 'DECODE_FAILED', '--yes')).result.letters).toBe(0)
    expect((await replay(file, '--code', 'STAGE_FAILED', '--yes')).result.letters).toBe(0)
    expect((await replay(file, '--yes')).result.letters).toBe(0)
    expect(await added(from, 5)).toEqual([ALL[1], ALL[0], ALL[2]])
  })

  // The group's place was before the log, and every replay ended with OFFSET_OUT_OF_RANGE.
  test('passes over letters that retention has deleted', async () => {
    const dead = await bed().create()
    const { from, file } = await afterRun({ topic: dead })
    expect((await replay(file, '--max', '1', '--yes')).result.letters).toBe(1)
    await bed().admin.deleteRecords([{ topic: dead, partition: 0, offset: 2 }])
    const { code, stdout } = await cli(['deadletter', 'replay', file, '--yes', '--json'])
    expect([code, (JSON.parse(stdout) as { result: { letters: number } }).result.letters]).toEqual([0, 1])
    expect(await added(from, 5)).toEqual([ALL[0], ALL[2]])
  })

  test('refuses options that would have no effect', async () => {
    const refused = await cli([
      'deadletter',
      'replay',
      '-t',
      'dead',
      '-o',
      'security.protocol=PLAINTEXT',
      '-o',
      'fetch.min.bytes=5',
    ])
    expect(refused.code).toBe(2)
    expect(refused.stderr).toContain('Cannot use -o fetch.min.bytes here')
  })

  test('takes letters out of a file, in parts, and remembers how far it came', async () => {
    const path = join(await mkdtemp(join(tmpdir(), 'millrace-')), 'dead.jsonl')
    const { from, file } = await afterRun({ type: 'file', options: { path } })
    expect((await replay(path, '-b', bootstrapServers(), '--max', '1', '--yes')).result.letters).toBe(1)
    expect(JSON.parse(await readFile(`${path}.replayed`, 'utf8'))).toEqual({ '': 1 })
    expect((await replay(file, '--yes')).result.letters).toBe(2)
    expect(await added(from, 5)).toEqual(ALL)
    expect((await replay(file)).summary).toBe('No dead letters to replay')
  })

  test.each([
    { envelope: 'rivven', to: [] },
    { envelope: 'conveyor', to: ['--to'] },
  ])('reads the envelope $envelope', async ({ envelope, to }) => {
    const [dead, from, out, repair] = [
      await bed().create(),
      await bed().create(),
      await bed().create(),
      await bed().create(),
    ]
    await bed().write(from, [{ key: 'k', value: '[1]' }])
    const spec = {
      source: fromTopic(from),
      stages: [{ $replaceWith: '$in' }],
      sink: toTopic(out),
      errorPolicy: { deadLetter: dead, envelope },
    }
    await runHere(spec)
    const file = await pipelineFile(spec)
    if (to.length > 0) expect((await replay(file)).result).toMatchObject({ letters: 0, noLetters: 1 })
    expect((await replay(file, '--yes', ...to.flatMap((flag) => [flag, repair]))).result.letters).toBe(1)
    const records = await recordsOf(to.length > 0 ? repair : from)
    expect([records.at(-1)!.key, String(records.at(-1)!.value)]).toEqual(['k', '[1]'])
  })

  test.each([
    { args: ['deadletter', 'replay'], want: 'Cannot decide where the dead letters are' },
    { args: ['deadletter', 'delete', 'x.jsonl'], want: 'delete' },
    { args: ['deadletter', 'replay', 'x.yaml', '--topic', 'x'], want: 'Cannot use --topic together with a file' },
    {
      args: ['deadletter', 'replay', 'x.yaml', '-b', 'x:1'],
      want: 'Cannot use --bootstrap-servers together with a pipeline file',
    },
  ])('refuses $args', async ({ args, want }) => {
    const { code, stderr } = await cli(args)
    expect(stderr).toContain(want)
    expect(code).toBe(2)
  })
})

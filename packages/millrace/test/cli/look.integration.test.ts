/**
 * Commands that look at a real broker: none of them may commit, join a group or write.
 */
import { writeFile, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { read, type ReadOptions } from '../../src/cli/read.ts'
import { bootstrapServers, brokerAvailable, uniqueName } from '../support/broker.ts'
import { cli, startCli, type CliResult } from '../support/cli.ts'
import { fromTopic, pipelineFile, runHere, toTopic } from '../support/pipelines.ts'
import { topicBed } from '../support/topics.ts'

interface Line {
  readonly partition: number
  readonly offset: number
  readonly key: string | null
  readonly value: unknown
}

const RECORDS = Array.from({ length: 20 }, (_, i) => ({
  key: `k-${i % 3}`,
  value: `{"id":${i},"amount":${i * 10},"paid":${i % 2 === 0}}`,
}))

describe.skipIf(!brokerAvailable)('looking at a broker', () => {
  const bed = topicBed()
  let topic: string
  let target: string
  let directory: string
  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), 'millrace-look-'))
    topic = await bed().create({ partitions: 2 })
    target = await bed().create()
    await bed().write(topic, RECORDS)
  })
  afterAll(async () => {
    await bed().admin.deleteTopics([topic, target])
    await rm(directory, { recursive: true })
  })

  const environment = (): { readonly KAFKA_BOOTSTRAP_SERVERS: string } => ({
    KAFKA_BOOTSTRAP_SERVERS: bootstrapServers(),
  })
  const call = (...args: string[]): Promise<CliResult> => cli(args, { environment: environment() })
  const linesOf = ({ stdout }: CliResult): Line[] =>
    stdout
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => JSON.parse(line) as Line)

  async function file(group: string, options: { readonly [name: string]: unknown } = {}): Promise<string> {
    return pipelineFile({
      source: fromTopic(topic, { groupId: group, ...options }),
      stages: [{ $match: { amount: { $gte: 100 } } }, { $set: { tier: 'high' } }],
      sink: toTopic(target, { keyField: 'id' }),
    })
  }

  describe('read', () => {
    test('prints every record of a topic, and stops at the end', async () => {
      const { code, stdout, stderr } = await call('read', '--topic', topic)
      const lines = linesOf({ code, stdout, stderr })
      expect([code, stderr]).toEqual([0, ''])
      expect(lines.map(({ value }) => (value as { id: number }).id).toSorted((a, b) => a - b)).toEqual(
        RECORDS.map((_, i) => i),
      )
      for (const { key, value } of lines) expect(key).toBe(`k-${(value as { id: number }).id % 3}`)
    })

    test('stops after so many, and prints values alone', async () => {
      const { code, stdout } = await call('read', '-t', topic, '-n', '3', '--values')
      expect(code).toBe(0)
      const lines = stdout.trimEnd().split('\n')
      expect(lines).toHaveLength(3)
      for (const line of lines) expect(RECORDS.map(({ value }) => value)).toContain(line)
    })

    test('puts the records into one envelope', async () => {
      const { stdout } = await call('read', '-t', topic, '--max', '2', '--json')
      expect(JSON.parse(stdout)).toMatchObject({
        command: 'read',
        ok: true,
        error: null,
        result: {
          records: [
            { topic, offset: 0 },
            { topic, offset: 1 },
          ],
        },
      })
    })

    test('waits for new records with --follow, and ends quietly when its reader is gone', async () => {
      const fresh = await bed().create()
      const reading = startCli(['read', '-t', fresh, '--follow'], { environment: environment() })
      let seen = ''
      const first = new Promise<void>((resolve) =>
        reading.child.stdout!.on('data', (text: string) => ((seen += text), resolve())),
      )
      try {
        await bed().write(fresh, [{ value: '1' }])
        await first
        expect(JSON.parse(seen)).toMatchObject({ value: 1, offset: 0 })
        // The other end of the pipe is closed, as `head` does.
        reading.child.stdout!.destroy()
        await bed().write(fresh, [{ value: '2' }])
        const { code, stderr } = await reading.ended
        expect([code, stderr]).toEqual([0, ''])
      } finally {
        reading.child.kill('SIGKILL')
        await bed().admin.deleteTopics([fresh])
      }
    })

    test('begins at an offset of a partition, or at a time', async () => {
      const fresh = await bed().create({ partitions: 2 })
      await bed().write(
        fresh,
        Array.from({ length: 10 }, (_, i) => ({
          value: String(i),
          partition: i % 2,
          timestampMs: 1_700_000_000_000 + i,
        })),
      )
      const valuesOf = async (...args: string[]): Promise<string> =>
        (await call('read', '-t', fresh, '--values', ...args)).stdout
      expect(await valuesOf('--partition', '1', '--offset', '2', '--count', '1')).toBe('5\n')
      expect(await valuesOf('--partition', '1', '--offset', '3')).toBe('7\n9\n')
      expect(await valuesOf('--partition', '0')).toBe('0\n2\n4\n6\n8\n')
      expect(await valuesOf('--from', '1700000000007', '--partition', '1')).toBe('7\n9\n')
      expect(await valuesOf('--from', '2023-11-14T22:13:20.008Z', '--partition', '0')).toBe('8\n')
    })

    test.each([
      { file: undefined, options: { topic: 'a', offset: 1 }, text: 'Cannot begin at --offset without --partition' },
      { file: undefined, options: { topic: 'a', from: 'yesterday' }, text: 'Cannot start from "yesterday"' },
      {
        file: undefined,
        options: { topic: 'a', option: ['auto.offset.reset=latest'] },
        text: 'Cannot use -o auto.offset.reset=latest',
      },
      { file: undefined, options: { topic: 'a', follow: true, json: true }, text: 'Cannot use --json together' },
      { file: undefined, options: {}, text: 'name a pipeline file, or a topic with --topic' },
      { file: 'x.yaml', options: { topic: 'a' }, text: 'Cannot use --topic together with a pipeline file' },
      { file: undefined, options: { topic: 'a', option: ['foo'] }, text: 'must have the form name=value' },
      {
        file: undefined,
        options: { topic: 'a', option: ['fetch.min.bits=3'] },
        text: 'did you mean "fetch.min.bytes"',
      },
    ])('refuses $file with $options', async ({ file: name, options, text }) => {
      await expect(read(name, { from: 'earliest', ...options } as ReadOptions)).rejects.toMatchObject({
        code: 'CONFIG_INVALID',
        message: expect.stringContaining(text),
      })
    })

    test('exits with 2 when the arguments are wrong', async () => {
      const { code, stdout, stderr } = await call('read', '--topic', topic, '--max', 'many')
      expect([code, stdout]).toEqual([2, ''])
      expect(stderr).toContain('whole number greater than 0')
    })

    test('reports that a topic does not exist, exit code 3', async () => {
      const { code, stderr } = await call('read', '--topic', uniqueName('nowhere'))
      expect([code, stderr]).toEqual([3, expect.stringMatching(/^TOPIC_NOT_FOUND: /)])
    })
  })

  describe('dry-run', () => {
    test('prints what would be written, and neither writes nor commits nor joins', async () => {
      const group = uniqueName('group')
      const { code, stdout, stderr } = await call('dry-run', await file(group), '--max', '100')
      const lines = linesOf({ code, stdout, stderr })
      expect(code).toBe(0)
      expect(stderr).toBe('test: read 20 records, would write 10\n')
      expect(
        lines.map(({ value }) => value).toSorted((a, b) => (a as { id: number }).id - (b as { id: number }).id),
      ).toEqual(RECORDS.slice(10).map(({ value }) => ({ ...(JSON.parse(value) as object), tier: 'high' })))
      for (const { key, value } of lines) expect(key).toBe(String((value as { id: number }).id))
      // They have no place in the target yet: that of the source looked like it.
      expect(lines[0]).toMatchObject({ from: { topic } })
      expect(lines[0]).not.toHaveProperty('topic')
      expect(await bed().values(target)).toEqual([])
      expect((await bed().groups.listGroups()).map(({ groupId }) => groupId)).not.toContain(group)
    })

    test('starts where a run would, or at the first record', async () => {
      const group = uniqueName('group')
      await runHere({
        source: fromTopic(topic, { groupId: group }),
        sink: { type: 'file', path: join(directory, 'out.jsonl') },
      })
      const pipeline = await file(group)
      const asRun = await call('dry-run', pipeline)
      expect([asRun.stdout, asRun.stderr]).toEqual([
        '',
        'test: read 0 records, would write 0; a run would find nothing new: try --from earliest\n',
      ])
      expect(linesOf(await call('dry-run', pipeline, '--from', 'earliest', '--max', '4'))).toHaveLength(4)
    })

    test('reports records that the error policy would skip or dead-letter', async () => {
      const broken = await bed().create()
      await bed().write(broken, [{ value: '{' }, { value: '{"a":1}' }])
      const pipeline = join(directory, 'policy.json')
      await writeFile(
        pipeline,
        JSON.stringify({
          source: fromTopic(broken),
          stages: [{ $set: { b: 1 } }],
          sink: toTopic(target),
          errorPolicy: 'skip',
        }),
      )
      const { code, stdout, stderr } = await call('dry-run', pipeline)
      expect(code).toBe(0)
      expect(linesOf({ code, stdout, stderr }).map(({ value }) => value)).toEqual([{ a: 1, b: 1 }])
      expect(stderr).toContain('warning: a record would be skipped: DECODE_FAILED')
      await bed().admin.deleteTopics([broken])
    })
  })

  // It read nothing, and said only that it had reached the end.
  test('a run that starts at the end and reads nothing says why', async () => {
    const { code, stdout } = await call(
      'run',
      '--until-end',
      await file(uniqueName('new'), { 'auto.offset.reset': 'latest' }),
    )
    expect([code, stdout]).toEqual([
      0,
      expect.stringMatching(
        /read 0 records.*; reached the end of the source \(a group without committed offsets starts there/,
      ),
    ])
  })

  describe('check', () => {
    test('lists what each connector can read', async () => {
      const group = uniqueName('group')
      await runHere({
        source: fromTopic(topic, { groupId: group }),
        sink: { type: 'file', path: join(directory, 'checked.jsonl') },
      })
      const { code, stdout } = await call('check', await file(group))
      expect(code).toBe(0)
      for (const text of [
        /^source kafka\n {2}ok +configuration +[\d.]+ ms {2}can be used$/m,
        /^ {2}ok +connection +[\d.]+ ms {2}cluster \S+ with \d+ brokers?$/m,
        new RegExp(`^ {2}ok +topic +[\\d.]+ ms {2}"${topic}" has 2 partitions, up to 20 records$`, 'm'),
        new RegExp(
          `^ {2}ok +group +[\\d.]+ ms {2}"${group}" has committed offsets for 2 partitions, no records behind the end$`,
          'm',
        ),
        /^stages \$match, \$set\n {2}ok/m,
        new RegExp(
          `^sink kafka\\n(?: {2}ok.*\\n){2} {2}ok +topic +[\\d.]+ ms {2}"${target}" has 1 partition, no records$`,
          'm',
        ),
        /^test: all checks passed$/m,
      ])
        expect(stdout).toMatch(text)
    })

    test('continues after a failed check, skips what depends on it, and exits with 3', async () => {
      const missing = uniqueName('missing')
      const pipeline = await pipelineFile({ source: fromTopic(missing), sink: toTopic(target) })
      const { code, stdout } = await call('check', pipeline, '--json')
      expect(code).toBe(3)
      expect(JSON.parse(stdout)).toMatchObject({
        command: 'check',
        ok: false,
        summary: 'test: 1 check failed',
        error: { code: 'TOPIC_NOT_FOUND' },
        result: {
          connectors: [
            {
              kind: 'source',
              checks: [
                { ok: true },
                { ok: true },
                { name: 'topic', ok: false, error: { code: 'TOPIC_NOT_FOUND' } },
                { name: 'group', message: 'not tried' },
              ],
            },
            { kind: 'sink', checks: [{ ok: true }, { ok: true }, { name: 'topic', ok: true }] },
          ],
        },
      })
    })

    test('a wrong file exits with 2', async () => {
      const { code, stderr } = await call(
        'check',
        await pipelineFile({ source: { type: 'kafka', options: {} }, sink: toTopic(target) }),
      )
      expect([code, stderr]).toEqual([2, expect.stringContaining('Missing option "topic"')])
    })
  })

  describe('discover', () => {
    test('lists topics with partitions, records and the shape of values', async () => {
      const { code, stdout } = await call('discover', '--topic', topic)
      expect(code).toBe(0)
      expect(stdout).toMatch(
        new RegExp(
          `^${topic} +2 partitions +up to 20 records\\n {2}amount: integer\\n {2}id: integer\\n {2}paid: boolean\\n$`,
        ),
      )
    })

    test.each(['json', 'yaml'])('prints %s', async (format) => {
      const { stdout } = await call('discover', '-t', `${topic.slice(0, -1)}*`, '--format', format, '--sample', '5')
      const { parse } = await import('yaml')
      const streams = (parse(stdout) as { name: string }[]).filter(({ name }) => name === topic)
      expect(streams).toEqual([
        {
          name: topic,
          partitions: 2,
          records: 20,
          sampled: 5,
          schema: {
            type: 'object',
            properties: { amount: { type: 'integer' }, id: { type: 'integer' }, paid: { type: 'boolean' } },
            required: ['amount', 'id', 'paid'],
          },
        },
      ])
    })

    test('looks where the source of a file does, and nowhere else', async () => {
      const { stdout } = await call('discover', await file(uniqueName('group')), '--topic', target, '--json')
      expect(JSON.parse(stdout)).toMatchObject({
        ok: true,
        result: { streams: [{ name: target, partitions: 1, records: 0, sampled: 0 }] },
      })
      const generated = await pipelineFile({ source: { type: 'generate', records: 5 }, sink: toTopic(target) })
      expect((await call('discover', generated)).stdout).toMatch(/^generate +1 partition\n {2}amount: number\n/)
    })
  })
})

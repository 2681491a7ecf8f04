/** What a run that fails leaves behind: everything before its failure is delivered and committed, and it says what and where. */
import { readFile } from 'node:fs/promises'
import { describe, expect, test } from 'vitest'
import { brokerAvailable, bootstrapServers, uniqueName } from '../support/broker.ts'
import { consume, graphFile, produce, runGraphHere } from '../support/graphs.ts'
import { fromTopic, pipelineFile, runHere, startCommand, toTopic } from '../support/pipelines.ts'
import { topicBed } from '../support/topics.ts'

const numbers = (count: number, from = 0): { value: string }[] =>
  Array.from({ length: count }, (_, n) => ({ value: `{"n":${from + n}}` }))
const values = (count: number): string[] => numbers(count).map(({ value }) => value)

describe.skipIf(!brokerAvailable)('a run that fails', () => {
  const bed = topicBed()
  const committed = async (groupId: string): Promise<number> =>
    Number((await bed().groups.committedOffsets(groupId))[0]?.offset ?? 0)

  /** Ten good records, a bad one, and two more. */
  async function poisoned(bad = '{"n":'): Promise<{ input: string; output: string; groupId: string }> {
    const [input, output] = [await bed().create(), await bed().create()]
    await bed().write(input, [...numbers(10), { value: bad }, ...numbers(2, 11)], { batchBytes: 1_000_000 })
    return { input, output, groupId: uniqueName('group') }
  }

  // The records before the bad one in its batch were written by no run: each began with them and failed again.
  test.each([
    { name: 'that cannot be decoded', stages: [{ $set: { seen: '$n' } }, { $unset: 'seen' }] },
    { name: 'in a batch that is counted', stages: [{ $limit: 12 }, { $set: { seen: '$n' } }, { $unset: 'seen' }] },
  ])('delivers and commits what comes before a record $name', async ({ stages }) => {
    const { input, output, groupId } = await poisoned()
    const spec = { source: fromTopic(input, { groupId }), stages, sink: toTopic(output) }
    await expect(runHere(spec)).rejects.toMatchObject({ code: 'DECODE_FAILED', offset: 10n })
    expect((await bed().values(output)).flat()).toEqual(values(10))
    expect(await committed(groupId)).toBe(10)
    await expect(runHere(spec)).rejects.toMatchObject({ code: 'DECODE_FAILED', offset: 10n })
    expect((await bed().values(output)).flat()).toEqual(values(10))
  })

  // The transaction was aborted with all that came before the record. Whoever got past it by its offset lost that (K6).
  test('commits what comes before a record that fails, with exactly_once', async () => {
    const { input, output, groupId } = await poisoned()
    const stages = [{ $set: { seen: '$n' } }, { $unset: 'seen' }]
    const spec = { delivery: 'exactly_once', source: fromTopic(input, { groupId }), stages, sink: toTopic(output) }
    await expect(runHere(spec)).rejects.toMatchObject({ code: 'DECODE_FAILED', offset: 10n })
    expect((await bed().values(output, { isolation: 'read_committed' })).flat()).toEqual(values(10))
    await expect.poll(() => committed(groupId)).toBe(10)
  })

  // Only slices before that of the record were delivered.
  describe.each(['at_least_once', 'at_most_once', 'exactly_once'])('as a stage graph with %s', (delivery) => {
    test.each([
      { name: 'a filter', stage: { function: 'filter.apply', config: { column: 'n', operator: '!=', value: -1 } } },
      { name: 'a stage that counts', stage: { function: '$limit', config: 12 } },
      { name: 'a stage that remembers', stage: { function: 'distinct.apply', config: { columns: 'n' } } },
    ])('delivers what comes before a record that fails behind $name', async ({ stage }) => {
      const { input, output, groupId } = await poisoned('{"n":"ten"}')
      const stages = [
        consume(input, { group_id: groupId }),
        { id: 'one', inputs: ['consume'], ...stage },
        { id: 'two', function: 'validate.schema', inputs: ['one'], config: { field_types: { n: 'integer' } } },
        produce(output, ['two']),
      ]
      const file = await graphFile(stages, { global: { delivery, stream_batch_size: 1000 } })
      await expect(runGraphHere(file)).rejects.toMatchObject({ code: 'STAGE_FAILED', offset: 10n })
      expect((await bed().values(output, { isolation: 'read_committed' })).flat()).toEqual(values(10))
    })
  })

  // "Cannot write 1 of 13 records" did not say which of them.
  test.each(['at_least_once', 'exactly_once'])(
    'names the record that the target refuses, with %s',
    async (delivery) => {
      const { input, groupId } = await poisoned(`{"n":10,"text":"${'x'.repeat(3000)}"}`)
      const output = await bed().create({ configs: { 'max.message.bytes': '2000' } })
      const file = await pipelineFile({
        source: fromTopic(input, { groupId }),
        stages: [{ $match: { n: { $gte: 8 } } }, { $set: { m: 1 } }],
        sink: toTopic(output),
        delivery,
      })
      const { code, stdout, stderr } = await startCommand(['run', '--json', '--until-end', file]).done
      expect(code).toBe(1)
      const place = `offset 10 of partition 0 of "${input}"`
      expect(JSON.parse(stdout)).toMatchObject({
        error: {
          code: 'BATCH_FAILED',
          message: expect.stringContaining(place),
          hint: expect.stringContaining(`millrace read -t ${input} --partition 0 --offset 10 --count 1`),
        },
      })
      expect(stderr).toMatch(/RECORD_TOO_LARGE.*raise max\.message\.bytes/)
    },
  )

  // It ended with DELIVERY_TIMED_OUT after two minutes.
  test('because its output topic was deleted says so within seconds', async () => {
    const [input, output] = [await bed().create(), await bed().create()]
    await bed().write(input, numbers(10))
    const file = await pipelineFile({
      source: fromTopic(input, { groupId: uniqueName('group') }),
      stages: [{ $set: { m: 1 } }],
      sink: toTopic(output),
    })
    const running = startCommand(['run', file])
    await expect.poll(async () => (await bed().values(output)).flat().length).toBe(10)
    await bed().admin.deleteTopics([output])
    await bed().write(input, numbers(10))
    const { code, stderr } = await running.done
    expect([code, stderr]).toEqual([3, expect.stringContaining('"code":"TOPIC_NOT_FOUND"')])
  })

  test('in a stage graph: what was under way is delivered and committed', async () => {
    const { input, output, groupId } = await poisoned('{"n":"x"}')
    const set = { id: 'set', function: '$set', inputs: ['consume'], config: { m: { $toInt: '$n' } } }
    const stages = [consume(input, { group_id: groupId }), set, produce(output, ['set'])]
    const file = await graphFile(stages, { global: { stream_batch_size: 5 } })
    await expect(runGraphHere(file)).rejects.toMatchObject({ code: 'STAGE_FAILED' })
    expect((await bed().values(output)).flat()).toHaveLength(10)
    expect(await committed(groupId)).toBe(10)
  })

  // It had plain text among JSON lines, and `result: null`.
  test('reports code, counts, committed offsets and a way to look at the record, as JSON', async () => {
    const { input, output, groupId } = await poisoned()
    const file = await pipelineFile({
      source: fromTopic(input, { groupId }),
      stages: [{ $set: { m: 1 } }],
      sink: toTopic(output),
    })
    const { code, stdout, stderr } = await startCommand(['run', '--json', '--until-end', file]).done
    expect(code).toBe(1)
    const envelope = JSON.parse(stdout) as { error: { hint: string } }
    expect(envelope).toMatchObject({
      ok: false,
      error: { code: 'DECODE_FAILED' },
      result: {
        ended: 'error',
        written: { records: 10 },
        committed: [{ topic: input, partition: 0, offset: 10 }],
        errors: { skipped: {} },
      },
    })
    const lines = stderr
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as { [name: string]: unknown })
    expect(lines[0]).toMatchObject({
      level: 'info',
      message: 'started',
      version: (
        JSON.parse(await readFile(new URL('../../package.json', import.meta.url), 'utf8')) as { version: string }
      ).version,
      file,
      delivery: 'at_least_once',
      groups: [groupId],
    })
    const { hint } = envelope.error
    expect(lines.at(-1)).toMatchObject({ level: 'error', code: 'DECODE_FAILED', hint })
    expect(hint).toContain(`millrace read -t ${input} --partition 0 --offset 10 --count 1`)
    expect(hint).toContain('errorPolicy')
    const look = /"millrace (read [^"]*)"/.exec(hint)![1]!.split(' ')
    const seen = await startCommand([...look, '-b', bootstrapServers()]).done
    expect(JSON.parse(seen.stdout)).toMatchObject({ offset: 10, value: '{"n":' })
  })

  test('read: a partition that is not there, and an offset without one', async () => {
    const { input } = await poisoned()
    const read = (...args: string[]): Promise<{ code: number | null; stderr: string }> =>
      startCommand(['read', '-t', input, '-b', bootstrapServers(), ...args]).done
    expect(await read('--partition', '3')).toMatchObject({
      code: 2,
      stderr: expect.stringContaining(`Cannot read partition 3 of "${input}"`),
    })
    expect(await read('--offset', '3')).toMatchObject({ code: 2, stderr: expect.stringContaining('--partition') })
  })

  test('SIGHUP stops a run as SIGTERM does: it drains, commits and ends with 0', async () => {
    const { output, groupId } = await poisoned()
    const input = await bed().create()
    await bed().write(input, numbers(10))
    const source = fromTopic(input, { groupId, 'auto.commit.interval.ms': 600_000 })
    const running = startCommand(['run', await pipelineFile({ source, sink: toTopic(output) })])
    await expect.poll(() => bed().end(output)).toBe(10)
    running.child.kill('SIGHUP')
    expect(await running.done).toMatchObject({ code: 0, stderr: expect.stringContaining('Stopping after SIGHUP') })
    expect(await committed(groupId)).toBe(10)
  })
})

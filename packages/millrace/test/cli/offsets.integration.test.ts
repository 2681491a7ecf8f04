import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { beforeAll, describe, expect, test } from 'vitest'
import { bootstrapServers, brokerAvailable, uniqueName } from '../support/broker.ts'
import { cli, startCli, type CliResult } from '../support/cli.ts'
import { consume, graphFile } from '../support/graphs.ts'
import { fromTopic, pipelineFile } from '../support/pipelines.ts'
import { topicBed } from '../support/topics.ts'

describe.skipIf(!brokerAvailable)('millrace offsets', () => {
  const bed = topicBed()
  let topic: string
  beforeAll(async () => {
    topic = await bed().create({ partitions: 2 })
    const records = Array.from({ length: 20 }, (_, i) => ({ value: `{"id":${i}}`, partition: i % 2 }))
    await bed().write(topic, records)
  })
  const call = (...args: string[]): Promise<CliResult> =>
    cli(args, { environment: { KAFKA_BOOTSTRAP_SERVERS: bootstrapServers() } })
  const fileOf = (groupId: string): Promise<string> =>
    pipelineFile({
      source: fromTopic(topic, { groupId, 'auto.offset.reset': 'earliest' }),
      sink: { type: 'file', path: join(tmpdir(), `${groupId}.jsonl`) },
    })
  const committed = async (file: string): Promise<unknown> => {
    const { stdout } = await call('offsets', file, '--json')
    const { result } = JSON.parse(stdout) as { result: { partitions: { committed: number | null }[] } }
    return result.partitions.map(({ committed }) => committed)
  }

  test('shows a group, lists what a reset would change, and changes it with --yes only', async () => {
    const group = uniqueName('group')
    const file = await fileOf(group)
    expect((await call('offsets', file)).stdout).toMatch(new RegExp(`Group "${group}": does not exist\n$`))
    expect((await call('run', file, '--until-end')).code).toBe(0)
    const { code, stdout } = await call('offsets', file)
    expect([code, stdout]).toEqual([
      0,
      [
        `${'topic'.padEnd(topic.length)}  partition  committed  end  lag  member`,
        `${topic}          0         10   10    0  -`,
        `${topic}          1         10   10    0  -`,
        `Group "${group}": empty, 0 members, 0 behind the end`,
        '',
      ].join('\n'),
    ])
    const dry = await call('offsets', file, '--reset-to', '-3')
    expect(dry.stdout).toContain(`Group "${group}": 2 offsets would be reset; add --yes to reset`)
    expect(await committed(file)).toEqual([10, 10])
    expect((await call('offsets', file, '--reset-to', '-3', '--yes')).stdout).toContain('2 offsets reset')
    expect((await call('offsets', file, '--partition', '1', '--reset-to', '4', '--yes')).stdout).toContain(
      '1 offset reset',
    )
    expect(await committed(file)).toEqual([7, 4])
    const byName = await call('offsets', '--group', group, '--reset-to', 'latest', '--yes', '--json')
    expect(JSON.parse(byName.stdout)).toMatchObject({
      command: 'offsets',
      ok: true,
      result: {
        group,
        reset: true,
        partitions: [
          { topic, partition: 0, from: 7, to: 10 },
          { topic, partition: 1, from: 4, to: 10 },
        ],
      },
    })
    // What a run up to the end says that has nothing left to read.
    expect((await call('run', file, '--until-end')).stdout).toContain(`nothing was left to read for group "${group}"`)
  })

  test('names the member that reads each partition, and refuses to reset while there is one', async () => {
    const group = uniqueName('group')
    const file = await fileOf(group)
    const running = startCli(['run', file], { environment: { KAFKA_BOOTSTRAP_SERVERS: bootstrapServers() } })
    await running.stderrHas('assigned 2 of 2 partitions')
    const { stdout } = await call('offsets', file)
    expect(stdout).toMatch(/\s0 .*\bmillrace-\S+\/127\.0\.0\.1$/m)
    expect(stdout).toContain(`Group "${group}": stable, 1 member`)
    const refused = await call('offsets', file, '--reset-to', 'earliest', '--yes')
    expect([refused.code, refused.stderr]).toEqual([1, expect.stringContaining('it has members: stop them first')])
    running.child.kill('SIGINT')
    expect((await running.ended).code).toBe(0)
  })

  test('finds the group of a source of a stage graph', async () => {
    const group = uniqueName('group')
    const graph = await graphFile([
      consume(topic, { group_id: group }),
      { id: 'out', function: 'stdout.write', inputs: ['consume'] },
    ])
    const { code, stdout, stderr } = await call('offsets', graph, '--reset-to', '5', '--yes')
    expect([code, stdout, stderr]).toEqual([0, expect.stringContaining('2 offsets reset'), ''])
  })
})

describe('millrace offsets without a group', () => {
  test.each([
    [[], 'name a pipeline file, or a group with --group'],
    [['--group', 'g', '--yes'], 'Cannot use --yes without --reset-to'],
  ])('%j is refused', async (args, message) => {
    const { code, stderr } = await cli(['offsets', ...args])
    expect([code, stderr]).toEqual([2, expect.stringContaining(message)])
  })

  test('a file that does not read from Kafka has none', async () => {
    const file = await pipelineFile({ source: { type: 'generate', records: 1 }, sink: { type: 'stdout' } })
    const { code, stderr } = await cli(['offsets', file])
    expect([code, stderr]).toEqual([2, expect.stringContaining('as it reads from "generate", not from Kafka')])
  })
})

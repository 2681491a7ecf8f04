/** ConsumerGroupCommand and GroupsCommand, with groups of both protocols, with and without members. */
import assert from 'node:assert/strict'
import { until } from '../../conditions.ts'
import type { Test, TestContext } from '../../tests.ts'
import { createTopic, linesOf, numbered, read, run, start, tableOf, write } from './tools.ts'

const groupCommand = async (context: TestContext, ...args: string[]) => run(context, 'consumer-groups', args)

async function committedOf(context: TestContext, group: string): Promise<string[]> {
  const rows = tableOf(await groupCommand(context, '--describe', '--group', group), 'GROUP')
  return rows.map((row) => row['CURRENT-OFFSET']!)
}

function changesOffsets(protocol: 'classic' | 'consumer'): Test {
  return async (context) => {
    const topic = await createTopic(context, 'committed')
    const group = context.unique('committed')
    await write(context, topic, numbered(100))
    const property = ['--command-property', `group.protocol=${protocol}`]
    await read(context, topic, 100, ['--group', group, ...property])
    const states = tableOf(await groupCommand(context, '--list', '--state'), 'GROUP')
    assert.equal(states.find((row) => row['GROUP'] === group)?.['STATE'], 'Empty')
    const types = tableOf(await run(context, 'groups', ['--list']), 'GROUP')
    assert.equal(types.find((row) => row['GROUP'] === group)?.['TYPE']?.toLowerCase(), protocol)
    assert.deepEqual(await committedOf(context, group), ['100'])
    const reset = ['--reset-offsets', '--group', group, '--topic', topic, '--execute']
    await groupCommand(context, ...reset, '--to-offset', '40')
    assert.deepEqual(await committedOf(context, group), ['40'])
    const again = ['--topic', topic, '--group', group, '--max-messages', '60', ...property]
    const rest = await run(context, 'console-consumer', again)
    assert.deepEqual(linesOf(rest), numbered(100).slice(40))
    await groupCommand(context, '--delete-offsets', '--group', group, '--topic', topic)
    assert.match(await groupCommand(context, '--delete', '--group', group), /successful/)
    assert.ok(!(await groupCommand(context, '--list')).includes(group))
  }
}

function showsMembers(protocol: 'classic' | 'consumer'): Test {
  return async (context) => {
    const topic = await createTopic(context, 'members', 3)
    const group = context.unique('members')
    const options = ['--topic', topic, '--group-id', group, '--group-protocol', protocol]
    const reader = await start(context, 'verifiable-consumer', options)
    try {
      // There is no such group at first, and the tool fails.
      await until(async () => (await stateOf(context, group)) === 'Stable', context.signal)
      const members = tableOf(await groupCommand(context, '--describe', '--group', group, '--members'), 'GROUP')
      assert.equal(members.length, 1)
      assert.equal(members[0]!['#PARTITIONS'], '3')
      const rows = tableOf(await groupCommand(context, '--describe', '--group', group), 'GROUP')
      assert.deepEqual(new Set(rows.map((row) => row['CONSUMER-ID'])), new Set([members[0]!['CONSUMER-ID']]))
      await assert.rejects(deleteGroup(context, group), /not empty/i)
    } finally {
      reader.kill('SIGKILL')
    }
  }
}

async function stateOf(context: TestContext, group: string): Promise<string | undefined> {
  const described = await groupCommand(context, '--describe', '--group', group, '--state').catch(() => '')
  return described.includes('GROUP') ? tableOf(described, 'GROUP')[0]?.['STATE'] : undefined
}

async function deleteGroup(context: TestContext, group: string): Promise<void> {
  const output = await groupCommand(context, '--delete', '--group', group)
  if (!output.includes('successful')) throw new Error(output)
}

export const GROUP_TESTS: { readonly [name: string]: Test } = {
  'ConsumerGroupCommand, offsets': changesOffsets('classic'),
  'ConsumerGroupCommand, offsets, consumer protocol': changesOffsets('consumer'),
  'ConsumerGroupCommand, members': showsMembers('classic'),
  'ConsumerGroupCommand, members, consumer protocol': showsMembers('consumer'),
}

import { mkdtemp, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { readPipelineFile } from '../../src/dialects/index.ts'

let directory: string
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'millrace-files-'))
  await writeFile(join(directory, 'in.jsonl'), '{}\n')
  await symlink('in.jsonl', join(directory, 'link.jsonl'))
})
afterAll(() => rm(directory, { recursive: true }))

async function problemsOf(text: string, name = 'p.yaml'): Promise<string[]> {
  await writeFile(join(directory, name), text)
  const { problems } = await readPipelineFile(join(directory, name), {})
  return problems.map(({ path, message }) => `${path}: ${message}`)
}

const KAFKA = 'source: {type: kafka, topic: a, bootstrapServers: "k:1", groupId: g}\n'
const READING = 'source: {type: file, path: in.jsonl}\n'
const LETTERS = 'sink: {type: stdout}\nerrorPolicy: {type: deadLetter, deadLetter: {path: PATH, mode: append}}\n'
const HUB = 'broker: {bootstrap_servers: ["k:1"]}\n'

// A pipeline that was stopped and started emptied its file of what it had delivered and committed: 3,000 of 5,000 records.
test.each([
  { name: 'linear', text: `${KAFKA}sink: {type: file, path: out.jsonl, mode: overwrite}\n`, path: 'sink.mode' },
  {
    name: 'second sink',
    text: `${KAFKA}sink: [{type: stdout}, {type: file, options: {path: out.jsonl, mode: overwrite}}]\n`,
    path: 'sink.1.options.mode',
  },
  {
    name: 'dead letters',
    text: `${KAFKA}${LETTERS.replace('PATH', 'x.jsonl').replace('append', 'overwrite')}`,
    path: 'errorPolicy.deadLetter',
  },
  {
    name: 'sink of the hub',
    text: `${HUB}sinks: {s: {connector: file, topics: [t], consumer_group: g, config: {path: out.jsonl, mode: overwrite}}}\n`,
    path: 'sinks.s.config.mode',
  },
  {
    name: 'bridge',
    text: 'bridges: {b: {source: {connector: kafka, config: {brokers: ["k:1"], topic: t, group_id: g}}, sink: {connector: file, config: {path: out.jsonl, mode: overwrite}}}}\n',
    path: 'bridges.b.sink.config.mode',
  },
])('refuses to overwrite a file with records of a source that commits: $name', async ({ text, path }) => {
  expect(await problemsOf(text)).toEqual([
    expect.stringMatching(new RegExp(`^${path}: Cannot overwrite "(out|x).jsonl" as source "kafka" commits offsets`)),
  ])
})

// A file that was read and overwritten at the same time went from 12 MB to 512 kB, and the run succeeded.
test.each([
  { name: 'by its name', sink: 'in.jsonl' },
  { name: 'by another name', sink: './x/../in.jsonl' },
  { name: 'by a link', sink: 'link.jsonl' },
])('refuses to write the file that is read, named $name', async ({ sink }) => {
  const message = `Cannot write to "${sink}" as the pipeline reads it`
  expect(await problemsOf(`${READING}sink: {type: file, path: ${sink}}\n`)).toEqual([`sink.path: ${message}`])
  expect(await problemsOf(`${READING}sink: {type: file, path: ${sink}, mode: overwrite}\n`)).toEqual([
    `sink.path: ${message}`,
  ])
  expect(await problemsOf(READING + LETTERS.replace('PATH', sink))).toEqual([`errorPolicy.deadLetter: ${message}`])
})

test('refuses dead letters in the file of a graph that is read', async () => {
  const text = `[[stages]]
id = "in"
function = "json.read"
inputs = []
config = { path = "${join(directory, 'in.jsonl')}" }
[[stages]]
id = "out"
function = "stdout.write"
inputs = ["in"]
[error_handling]
strategy = "continue"
dead_letter_queue = { path = "${join(directory, 'in.jsonl')}" }
`
  expect(await problemsOf(text, 'g.toml')).toEqual([
    expect.stringMatching(
      /^error_handling\.dead_letter_queue: Cannot write to ".*in\.jsonl" as the pipeline reads it$/,
    ),
  ])
})

test('refuses two writers of one file', async () => {
  const text = `${READING}sink: {type: file, path: out.jsonl}\nerrorPolicy: {type: deadLetter, deadLetter: {path: ./out.jsonl}}\n`
  expect(await problemsOf(text)).toEqual([
    'errorPolicy.deadLetter: Cannot write to "./out.jsonl" as another part of the pipeline writes it',
  ])
})

test('overwrites with a source that starts at the beginning', async () => {
  expect(await problemsOf(`${READING}sink: {type: file, path: out.jsonl, mode: overwrite}\n`)).toEqual([])
  expect(await problemsOf(`${KAFKA}sink: {type: file, path: out.jsonl}\n`)).toEqual([])
})

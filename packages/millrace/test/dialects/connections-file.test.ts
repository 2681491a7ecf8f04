/** Connections in a file of their own. */
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { readPipelineFile, type PipelineFile } from '../../src/dialects/index.ts'

let directory: string
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'millrace-connections-'))
})
afterAll(() => rm(directory, { recursive: true }))

async function write(files: { readonly [name: string]: string }): Promise<void> {
  for (const [name, text] of Object.entries(files)) {
    const path = join(directory, name)
    await mkdir(dirname(path), { recursive: true })
    await writeFile(path, text)
  }
}

const PIPELINE =
  'connections: conf/all.yaml\nsource: { connectionRef: main, topic: t }\nsink: { type: file, path: out }\n'
const MAIN = '- connectionRef: main\n  config:\n    type: kafka\n    bootstrapServers: ${BROKERS}\n'

async function read(connections: string, environment: { readonly [name: string]: string } = {}): Promise<PipelineFile> {
  await write({ 'p.yaml': PIPELINE, 'conf/all.yaml': connections })
  return readPipelineFile(join(directory, 'p.yaml'), environment)
}

/** As the command line shows them, with paths below the folder of the test. */
function shown({ problems }: PipelineFile): string[] {
  return problems.map(({ file = 'p.yaml', line, column, path, message }) =>
    `${file}:${line}:${column} ${path}: ${message}`.replaceAll(`${directory}/`, ''),
  )
}

describe('a file of connections', () => {
  test('lies beside the pipeline file, and may use variables', async () => {
    const { plan, problems } = await read(MAIN, { BROKERS: 'k:9092' })
    expect(problems).toEqual([])
    expect(plan!.source).toMatchObject({ component: 'kafka', options: { bootstrapServers: ['k:9092'], topic: ['t'] } })
  })

  test.each([
    { name: 'c.json', text: '[{"connectionRef": "main", "config": {"type": "kafka", "bootstrapServers": "j:1"}}]' },
    {
      name: 'c.toml',
      text: '[[connections]]\nconnectionRef = "main"\n[connections.config]\ntype = "kafka"\nbootstrapServers = "j:1"\n',
    },
    {
      name: 'named.yaml',
      text: 'connections:\n  - { connectionRef: main, config: { type: kafka, bootstrapServers: "j:1" } }\n',
    },
  ])('can be $name, and is chosen by the caller that reads the pipeline file', async ({ name, text }) => {
    await write({ 'p.yaml': PIPELINE, 'conf/all.yaml': MAIN, [name]: text })
    const { plan, problems } = await readPipelineFile(
      join(directory, 'p.yaml'),
      {},
      { connections: join(directory, name) },
    )
    expect(problems).toEqual([])
    expect(plan!.source.options['bootstrapServers']).toEqual(['j:1'])
  })

  test('keeps what looks like a number as it is written', async () => {
    const security = 'security.protocol: SASL_PLAINTEXT\n    sasl.mechanism: PLAIN\n    sasl.username: u'
    const { problems } = await read(`${MAIN}    ${security}\n    sasl.password: \${PW}\n`, {
      PW: '123',
      BROKERS: 'k:1',
    })
    expect(problems).toEqual([])
  })

  test.each([
    {
      name: 'a variable that is not set',
      text: MAIN,
      want: ['conf/all.yaml:4:5 0.config.bootstrapServers: Environment variable "BROKERS" is not set'],
    },
    {
      name: 'an option that its connector does not have',
      text: '- connectionRef: main\n  config: { type: kafka, bootstrapServers: "k:1",\n    topik: x }\n',
      want: ['conf/all.yaml:3:5 0.config.topik: Unknown option "topik"'],
    },
    {
      name: 'an unknown type',
      text: '- connectionRef: main\n  config: { type: kafak }\n',
      want: ['conf/all.yaml:2:13 0.config.type: Unknown source type "kafak"'],
    },
    {
      name: 'an entry without a name',
      text: '- config: { type: kafka }\n',
      want: [
        'p.yaml:2:11 source.connectionRef: Unknown connection "main" in scope "default::default"',
        'conf/all.yaml:1:3 0: Missing option "connectionRef"',
      ],
    },
    {
      name: 'no list',
      text: 'main: { type: kafka }\n',
      want: [
        'p.yaml:2:11 source.connectionRef: Unknown connection "main" in scope "default::default"',
        'conf/all.yaml:1:1 : Cannot read connections as it must be a list, or the path of a file of them: found an object',
      ],
    },
    {
      name: 'wrong syntax',
      text: '- {connectionRef: main\n- x\n',
      want: ['conf/all.yaml:2:1 : Cannot read the file as YAML'],
    },
  ])('with $name is reported at its place', async ({ text, want }) => {
    expect(shown(await read(text))).toEqual(want.map((line) => expect.stringContaining(line) as string))
  })

  test('that is not there is reported where it is named', async () => {
    await write({ 'p.yaml': PIPELINE.replace('all', 'none') })
    expect(shown(await readPipelineFile(join(directory, 'p.yaml'), {}))).toEqual([
      'p.yaml:1:1 connections: Cannot read "conf/none.yaml": the file does not exist',
    ])
  })
})

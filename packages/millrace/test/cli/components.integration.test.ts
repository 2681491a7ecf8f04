import { Ajv } from 'ajv'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { COMPONENTS, referenceOf, titleOf } from '../../src/cli/components.ts'
import { info } from '../../src/cli/info.ts'
import { list } from '../../src/cli/list.ts'
import { create } from '../../src/cli/new.ts'
import { spec } from '../../src/cli/spec.ts'
import { readPipelineFile } from '../../src/dialects/index.ts'
import { cli } from '../support/cli.ts'
import { ROOT } from '../support/documentation.ts'

const JSON_ONLY = { json: true } as const

test('list names every component once, and the stages', async () => {
  const { result } = (await list(JSON_ONLY)) as {
    result: { components: { kind: string; role: string; name: string }[]; stages: string[] }
  }
  const names = result.components.map(({ kind, role, name }) => `${kind} ${role} ${name}`)
  expect(new Set(names).size).toBe(names.length)
  expect(names).toEqual(
    expect.arrayContaining([
      'source source kafka',
      'sink sink kafka',
      'source source generate',
      'function transform filter.apply',
    ]),
  )
  expect(result.stages).toContain('$match')
})

describe('info', () => {
  test.each(COMPONENTS.map((component) => ({ title: titleOf(component), component })))(
    'knows $title',
    async ({ component: { kind, role, name, options } }) => {
      const { result } = (await info(`${kind}.${name}`, JSON_ONLY)) as {
        result: { components: { role: string; options: { name: string }[]; examples: unknown[] }[] }
      }
      const found = result.components.find((one) => one.role === role)!
      expect(found.options.map((row) => row.name)).toEqual(
        Object.keys(options).filter((key) => options[key]!.meta.ignored === undefined),
      )
    },
  )

  test('prints options, defaults and examples of all components of a name', async () => {
    const { code, stdout } = await cli(['info', 'kafka'])
    expect(code).toBe(0)
    for (const text of [
      'source kafka',
      'sink kafka',
      'autoOffsetReset (auto.offset.reset',
      'default latest',
      'required',
      'secret',
      'Example: From the beginning',
      'topic: orders',
    ])
      expect(stdout).toContain(text)
  })

  test.each(['$match', 'match', 'stage.match', 'stage.$match'])('knows a stage as %s', async (name) => {
    const { result } = (await info(name, JSON_ONLY)) as { result: { components: { name: string; kind: string }[] } }
    expect(result.components).toMatchObject([{ kind: 'stage', name: '$match' }])
  })

  test.each([
    { name: 'match', text: 'In linear files, under `stages`' },
    { name: 'kafka-sink', text: 'Other names: kafka, apache-kafka.' },
    { name: 'function.kafka.sink', text: 'In stage graphs' },
    { name: 'datagen', text: 'In connector files, as `connector: datagen` of a source.' },
  ])('says where $name may be used', async ({ name, text }) => {
    expect((await cli(['info', name])).stdout).toContain(text)
  })

  test('guesses what was meant', async () => {
    expect(await cli(['info', 'kafak'])).toMatchObject({
      code: 2,
      stdout: '',
      stderr: 'CONFIG_INVALID: Unknown component "kafak": did you mean "kafka"\n',
    })
  })
})

describe('spec', () => {
  const ajv = new Ajv({ strict: false, formats: {} })
  /** Stages in which any name is a field, or an operator that the schema knows nothing about. */
  const OPEN = new Set([
    '$match',
    '$set',
    '$addFields',
    '$project',
    '$replaceWith',
    '$group',
    '$sortByCount',
    '$redact',
  ])

  test.each(COMPONENTS.map((component) => ({ title: titleOf(component), component })))(
    'accepts the examples of $title, and no unknown option',
    async ({ component }) => {
      const { result } = await spec(referenceOf(component), JSON_ONLY)
      const matches = ajv.compile(result as object)
      const { examples = [] } = await component.load()
      for (const { options } of examples) {
        expect([matches(options), matches.errors]).toEqual([true, null])
        if (!OPEN.has(component.name)) expect(matches({ ...(options as object), thisIsNoOption: {} })).toBe(false)
      }
    },
  )

  test.each(COMPONENTS.map((component) => ({ title: titleOf(component), component })))(
    'is published for $title',
    async ({ component }) => {
      const file = join(ROOT, `docs/schema/${titleOf(component).replaceAll(/\W+/g, '-').replace(/-$/, '')}.json`)
      const { result } = await spec(referenceOf(component), JSON_ONLY)
      expect(JSON.parse(JSON.stringify(result))).toEqual(JSON.parse(await readFile(file, 'utf8')))
    },
  )

  test('prints the schema of the whole file, the one that is published', async () => {
    const { code, stdout } = await cli(['spec'])
    expect(code).toBe(0)
    expect(JSON.parse(stdout)).toEqual(JSON.parse(await readFile(join(ROOT, 'docs/schema/pipeline.json'), 'utf8')))
  })
})

describe('new', () => {
  let directory: string
  let before: string
  beforeAll(async () => {
    before = process.cwd()
    directory = await mkdtemp(join(tmpdir(), 'millrace-new-'))
  })
  afterAll(async () => {
    expect(process.cwd()).toBe(before)
    await rm(directory, { recursive: true })
  })

  const sources = COMPONENTS.filter(({ kind }) => kind === 'source').map(({ name }) => name)
  const sinks = COMPONENTS.filter(({ kind }) => kind === 'sink').map(({ name }) => name)
  test.each(sources.flatMap((source) => sinks.map((sink) => ({ source, sink }))))(
    'writes a file from $source to $sink without problems',
    async ({ source, sink }) => {
      const { result } = await create(undefined, { source, sink, json: true })
      const file = join(directory, `${source}-${sink}.yaml`)
      await writeFile(file, (result as { text: string }).text)
      expect((await readPipelineFile(file, {})).problems).toEqual([])
    },
  )

  test('takes the name of the file for that of the pipeline', async () => {
    const { code, stdout } = await cli(['new', 'named.yaml'], { directory })
    expect([code, stdout]).toEqual([0, expect.stringContaining('millrace run named.yaml\n')])
    expect(await readFile(join(directory, 'named.yaml'), 'utf8')).toContain('name: named\n')
  })

  // A file that was asked for as .yml was called .yaml, and not found by the next command.
  test('keeps the ending .yml', async () => {
    const { code, stdout } = await cli(['new', 'short.yml'], { directory })
    expect([code, stdout]).toEqual([0, expect.stringContaining('millrace run short.yml\n')])
    expect(await readFile(join(directory, 'short.yml'), 'utf8')).toContain('millrace run short.yml ')
  })

  test('writes a group to return to and a topic to write to, so that the next steps work', async () => {
    const { result } = await create('kafka-steps', { source: 'kafka', sink: 'kafka', force: true, json: true })
    const { file } = result as { file: string }
    const { plan } = await readPipelineFile(file, {})
    await rm(file)
    expect(plan).toMatchObject({
      source: { options: { groupId: 'kafka-steps' } },
      sink: { options: { createTopic: {} } },
    })
  })

  test.each(['generate', 'datagen'])('writes stages that let something of %s through', async (source) => {
    const { result } = await create(undefined, { source, sink: 'stdout', json: true })
    const file = join(directory, `${source}-dry.yaml`)
    await writeFile(file, (result as { text: string }).text)
    const { stdout } = await cli(['dry-run', file, '--max', '1', '--json'])
    expect(JSON.parse(stdout)).toMatchObject({ result: { records: [{ value: { tier: 'high' } }] } })
  })

  test('overwrites nothing without --force', async () => {
    const file = join(directory, 'there.yaml')
    const make = (...args: string[]): ReturnType<typeof cli> => cli(['new', 'there', ...args], { directory })
    expect((await make()).code).toBe(0)
    await writeFile(file, 'mine')
    expect(await make()).toMatchObject({
      code: 3,
      stderr:
        'FILE_UNWRITABLE: The file "there.yaml" already exists: choose another name, or overwrite it with --force\n',
    })
    expect(await readFile(file, 'utf8')).toBe('mine')
    expect((await make('--force')).code).toBe(0)
    expect(await readFile(file, 'utf8')).toContain('name: there')
  }, 60_000)

  test.each([
    { name: '../up', options: {}, text: 'as the name of a pipeline' },
    { name: 'a.toml', options: {}, text: 'new files are YAML' },
    { name: 'a', options: { source: 'kafak' }, text: 'Unknown component "source.kafak"' },
    { name: 'a', options: { sink: 'generate' }, text: 'Unknown component "sink.generate"' },
  ])('refuses name $name with $options', async ({ name, options, text }) => {
    await expect(create(name, { source: 'kafka', sink: 'kafka', json: true, ...options })).rejects.toMatchObject({
      code: 'CONFIG_INVALID',
      message: expect.stringContaining(text),
    })
  })
})

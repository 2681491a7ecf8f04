import { describe, expect, expectTypeOf, test } from 'vitest'
import { problem, warning, type Options, type OptionProblem } from '../../src/options/declaration.ts'
import { field } from '../../src/options/fields.ts'
import { parseOptions } from '../../src/options/parse.ts'

const fields = {
  topic: field.string().example('orders'),
  brokers: field.list(field.string(), { commaText: true }).optional().kafka('bootstrap.servers').aliases('servers'),
  waitMs: field.durationMs({ min: 0, max: 60_000 }).default(500).kafka('poll.timeout'),
  size: field.bytes().default(1024),
  count: field.int({ min: 1, max: 9 }).default(3),
  ratio: field.number().optional(),
  exact: field.boolean().default(false).kafka('check.crcs'),
  mode: field.oneOf(['earliest', 'latest'], { beginning: 'earliest' }).default('latest'),
  column: field.path().optional(),
  value: field.scalar().optional(),
  tls: field.object({ ca: field.string(), 'verify.host': field.boolean().default(true) }).optional(),
  labels: field.map(field.int()).optional(),
  password: field.string().secret().optional(),
  old: field.int().optional().deprecated('use size'),
  reporters: field.any().optional().ignored('Millrace has metrics of its own'),
}

function parse(input: unknown): { options: Options<typeof fields>; messages: string[]; warnings: string[] } {
  const { options, problems, warnings } = parseOptions({ options: fields }, input, ['source'])
  return { options, messages: problems.map(text), warnings: warnings.map(text) }
}

function text({ path, message, suggestion }: OptionProblem): string {
  return `${path.join('.')}: ${message}${suggestion === undefined ? '' : ` (${suggestion})`}`
}

test('infers the type of the options from their declaration', () => {
  const { options } = parse({ topic: 't' })
  expectTypeOf(options.topic).toEqualTypeOf<string>()
  expectTypeOf(options.waitMs).toEqualTypeOf<number>()
  expectTypeOf(options.mode).toEqualTypeOf<'earliest' | 'latest'>()
  expectTypeOf(options.brokers).toEqualTypeOf<readonly string[] | undefined>()
  expectTypeOf<NonNullable<typeof options.tls>['verify.host']>().toEqualTypeOf<boolean>()
})

test.each([
  { value: 'P24D', problem: undefined },
  { value: 2_147_483_648, problem: 'at most 2147483647 ms, which is 24 days: current value is 2147483648' },
  { value: 'P25D', problem: 'at most 2147483647 ms, which is 24 days: current value is "P25D"' },
])('a timer for $value', ({ value, problem }) => {
  const { problems } = parseOptions({ options: { interval: field.durationMs({ min: 1 }) } }, { interval: value })
  expect(problems.map(({ message }) => message)).toEqual(
    problem === undefined ? [] : [`Cannot read option "interval" as it must be ${problem}`],
  )
})

test('gives defaults and leaves out what is optional', () => {
  const { options, messages } = parse({ topic: 't' })
  expect(messages).toEqual([])
  expect(options).toEqual({ topic: 't', waitMs: 500, size: 1024, count: 3, exact: false, mode: 'latest' })
})

describe('accepts', () => {
  test.each([
    { name: 'a duration as ISO-8601', input: { waitMs: 'PT0.5S' }, want: { waitMs: 500 } },
    { name: 'a duration as number', input: { waitMs: 250 }, want: { waitMs: 250 } },
    { name: 'bytes with a unit', input: { size: '64KiB' }, want: { size: 65_536 } },
    {
      name: 'numbers and booleans as text, as environment variables give them',
      input: { count: '7', exact: 'true', ratio: '-1.5e2' },
      want: { count: 7, exact: true, ratio: -150 },
    },
    { name: 'a list as text with commas', input: { brokers: 'a:1, b:2,' }, want: { brokers: ['a:1', 'b:2'] } },
    { name: 'a list', input: { brokers: ['a:1'] }, want: { brokers: ['a:1'] } },
    { name: 'upper case and synonyms of a choice', input: { mode: 'BEGINNING' }, want: { mode: 'earliest' } },
    { name: 'the Kafka name', input: { 'check.crcs': true }, want: { exact: true } },
    { name: 'an alias', input: { servers: 'a:1' }, want: { brokers: ['a:1'] } },
    {
      name: 'dotted names that the format took apart',
      input: { check: { crcs: true }, poll: { timeout: 7 } },
      want: { exact: true, waitMs: 7 },
    },
    { name: 'null as not set', input: { waitMs: null, column: null }, want: { waitMs: 500 } },
    {
      name: 'an object',
      input: { tls: { ca: 'x', verify: { host: 'false' } } },
      want: { tls: { ca: 'x', 'verify.host': false } },
    },
    { name: 'a map', input: { labels: { a: 1, b: '2' } }, want: { labels: { a: 1, b: 2 } } },
    { name: 'any scalar', input: { value: false }, want: { value: false } },
    { name: 'a dotted path', input: { column: 'customer.id' }, want: { column: 'customer.id' } },
  ])('$name', ({ input, want }) => {
    const { options, messages } = parse({ topic: 't', ...input })
    expect(messages).toEqual([])
    expect(options).toMatchObject(want)
  })
})

describe('refuses', () => {
  test.each([
    {
      name: 'options that are no object',
      input: 'topic',
      want: ['source: Cannot read the options as they must be an object: found text, not shown'],
    },
    {
      name: 'a list of options',
      input: [],
      want: ['source: Cannot read the options as they must be an object: found a list, not shown'],
    },
    {
      name: 'a required option under a name that is not quite its own, which is not missing, too',
      input: { topik: 't' },
      want: ['source.topik: Unknown option "topik" (did you mean "topic")'],
    },
    { name: 'a missing option', input: {}, want: ['source: Missing option "topic" (for example topic: "orders")'] },
    {
      name: 'a required option that is null',
      input: { topic: null },
      want: ['source.topic: Missing option "topic", which is empty (for example topic: "orders")'],
    },
    {
      name: 'an unknown option',
      input: { topic: 't', tpic: 1 },
      want: ['source.tpic: Unknown option "tpic" (did you mean "topic")'],
    },
    {
      name: 'an unknown option that resembles a Kafka name',
      input: { topic: 't', 'check.crc': 1 },
      want: ['source.check.crc: Unknown option "check.crc" (did you mean "check.crcs")'],
    },
    {
      name: 'empty text',
      input: { topic: ' ' },
      want: ['source.topic: Cannot read option "topic" as it must be text: current value is " "'],
    },
    {
      name: 'a number where text is needed',
      input: { topic: 7 },
      want: ['source.topic: Cannot read option "topic" as it must be text: current value is 7 (write it in quotes)'],
    },
    {
      name: 'a duration with a unit',
      input: { topic: 't', waitMs: '5s' },
      want: [
        'source.waitMs: Cannot read option "waitMs" as it must be a number of milliseconds or a duration such as "PT0.5S" between 0 and 60000: current value is "5s" (write "PT5S")',
      ],
    },
    {
      name: 'a number out of range',
      input: { topic: 't', count: 10 },
      want: [
        'source.count: Cannot read option "count" as it must be a whole number between 1 and 9: current value is 10',
      ],
    },
    {
      name: 'a fraction',
      input: { topic: 't', count: 1.5 },
      want: [
        'source.count: Cannot read option "count" as it must be a whole number between 1 and 9: current value is 1.5',
      ],
    },
    {
      name: 'not a number',
      input: { topic: 't', ratio: NaN },
      want: ['source.ratio: Cannot read option "ratio" as it must be a number: current value is NaN'],
    },
    {
      name: 'hexadecimal text',
      input: { topic: 't', ratio: '0x10' },
      want: ['source.ratio: Cannot read option "ratio" as it must be a number: current value is "0x10"'],
    },
    {
      name: 'negative bytes',
      input: { topic: 't', size: -1 },
      want: [
        'source.size: Cannot read option "size" as it must be a number of bytes such as 65536 or "64KiB" of at least 0: current value is -1',
      ],
    },
    {
      name: 'yes',
      input: { topic: 't', exact: 'yes' },
      want: [
        'source.exact: Cannot read option "exact" as it must be true or false: current value is "yes" (write true)',
      ],
    },
    {
      name: 'an unknown choice',
      input: { topic: 't', mode: 'earlyest' },
      want: [
        'source.mode: Cannot read option "mode" as it must be one of "earliest", "latest": current value is "earlyest" (did you mean "earliest")',
      ],
    },
    {
      name: 'a wrong element',
      input: { topic: 't', brokers: ['a', 7] },
      want: [
        'source.brokers.1: Cannot read option "brokers" at element 2 as it must be text: current value is 7 (write it in quotes)',
      ],
    },
    {
      name: 'an empty list',
      input: { topic: 't', brokers: ' , ' },
      want: [
        'source.brokers: Cannot read option "brokers" as it must be a list, or text separated by commas, with at least one element: current value is " , "',
      ],
    },
    {
      name: 'a path with a dollar sign',
      input: { topic: 't', column: '$a' },
      want: [
        'source.column: Cannot read option "column" as it must be a dotted path such as "customer.id": current value is "$a"',
      ],
    },
    {
      name: 'an object where a scalar is needed',
      input: { topic: 't', value: {} },
      want: [
        'source.value: Cannot read option "value" as it must be text, a number or a boolean: current value is an object',
      ],
    },
    {
      name: 'problems inside an object',
      input: { topic: 't', tls: { cafile: 1 } },
      want: ['source.tls.cafile: Unknown option "cafile"', 'source.tls: Missing option "ca"'],
    },
    {
      name: 'a wrong value in a map',
      input: { topic: 't', labels: { a: 'x' } },
      want: ['source.labels.a: Cannot read option "labels" at "a" as it must be a whole number: current value is "x"'],
    },
    {
      name: 'two names of one option',
      input: { topic: 't', exact: true, 'check.crcs': false },
      want: [
        'source.check.crcs: Cannot use both "exact" (true) and "check.crcs" (false) as they set the same thing (delete one)',
      ],
    },
    {
      name: 'several errors at once',
      input: { waitMs: 'x', mde: 1 },
      want: [
        'source.mde: Unknown option "mde" (did you mean "mode")',
        'source: Missing option "topic" (for example topic: "orders")',
        'source.waitMs: Cannot read option "waitMs" as it must be a number of milliseconds or a duration such as "PT0.5S" between 0 and 60000: current value is "x"',
      ],
    },
  ])('$name', ({ input, want }) => {
    expect(parse(input).messages).toEqual(want)
  })

  // I8
  test('a wrong secret without showing it', () => {
    expect(parse({ topic: 't', password: 12_345 }).messages).toEqual([
      'source.password: Cannot read option "password" as it must be text: current value is not shown (write it in quotes)',
    ])
  })
})

test('warns of what is deprecated or has no effect', () => {
  const { messages, warnings } = parse({ topic: 't', old: 1, reporters: ['x'] })
  expect(messages).toEqual([])
  expect(warnings).toEqual([
    'source.old: Option "old" is deprecated: use size',
    'source.reporters: Option "reporters" has no effect: Millrace has metrics of its own',
  ])
})

test('warns of a value that an option never has, and keeps it', () => {
  const options = { commit: field.boolean().default(true).always(true, 'nothing is ever left uncommitted') }
  expect(parseOptions({ options }, { commit: true }).warnings).toEqual([])
  expect(parseOptions({ options }, {}).warnings).toEqual([])
  expect(parseOptions({ options }, { commit: false }).warnings.map(text)).toEqual([
    'commit: Option "commit" is always true: nothing is ever left uncommitted',
  ])
})

test('keeps names such as __proto__ away from prototypes', () => {
  const { messages } = parse(JSON.parse('{"topic":"t","__proto__":{"x":1},"constructor":1}'))
  expect(messages.map((message) => message.split(':')[0])).toEqual(['source.__proto__', 'source.constructor'])
  expect(({} as { x?: number }).x).toBeUndefined()
})

describe('rules across options', () => {
  const spec = {
    options: fields,
    rules: [
      ({ count, size }: Options<typeof fields>, isSet: (name: keyof typeof fields) => boolean) =>
        isSet('count') && count > size ? problem('count', 'count must not be more than size') : undefined,
      ({ exact }: Options<typeof fields>) => (exact ? [warning('exact', 'exact is slow')] : []),
    ],
  }

  test('run when every option is valid, and point at the name that was written', () => {
    const { problems, warnings } = parseOptions(spec, { topic: 't', count: 9, size: 1, 'check.crcs': true }, [
      'sink',
      'options',
    ])
    expect(problems.map(text)).toEqual(['sink.options.count: count must not be more than size'])
    expect(warnings.map(text)).toEqual(['sink.options.check.crcs: exact is slow'])
  })

  test('are not asked when an option is wrong', () => {
    expect(parseOptions(spec, { count: 9, size: 1 }).problems.map(text)).toEqual([
      ': Missing option "topic" (for example topic: "orders")',
    ])
  })

  test('can distinguish a default from what was written', () => {
    expect(parseOptions(spec, { topic: 't', size: 1 }).problems).toEqual([])
  })
})

import { expect, test } from 'vitest'
import { DURATION_PATTERN } from '../../src/options/units.ts'
import { describe as describeFields, jsonSchema, redact } from '../../src/options/describe.ts'
import { field } from '../../src/options/fields.ts'

const fields = {
  topic: field.string().doc('Topic to read.').example('orders'),
  waitMs: field.durationMs({ max: 60_000 }).default(500).kafka('poll.timeout').doc('How long to wait.'),
  brokers: field.list(field.string(), { commaText: true }).default(['a:1', 'b:2']).aliases('servers'),
  login: field.object({ user: field.string(), password: field.string().secret() }).optional(),
  token: field.string().secret().optional(),
  noise: field.any().optional().ignored('no server listens'),
}

test('gives a JSON Schema', () => {
  expect(jsonSchema(fields)).toEqual({
    type: 'object',
    additionalProperties: false,
    required: ['topic'],
    properties: {
      topic: { type: 'string', minLength: 1, description: 'Topic to read.', examples: ['orders'] },
      waitMs: {
        type: ['number', 'string'],
        pattern: DURATION_PATTERN,
        minimum: 0,
        maximum: 60_000,
        default: 500,
        description: 'How long to wait.',
      },
      brokers: {
        anyOf: [{ type: 'array', items: { type: 'string', minLength: 1 }, minItems: 1 }, { type: 'string' }],
        default: ['a:1', 'b:2'],
      },
      login: {
        type: 'object',
        additionalProperties: false,
        required: ['user', 'password'],
        properties: {
          user: { type: 'string', minLength: 1 },
          password: { type: 'string', minLength: 1, writeOnly: true },
        },
      },
      token: { type: 'string', minLength: 1, writeOnly: true },
      noise: {},
    },
  })
})

test('gives rows for help and reference pages, without what has no effect', () => {
  const rows = describeFields(fields)
  expect(rows.map(({ name }) => name)).toEqual(['topic', 'waitMs', 'brokers', 'login', 'token'])
  expect(rows[1]).toEqual({
    name: 'waitMs',
    type: 'number of milliseconds or a duration such as "PT0.5S" between 0 and 60000',
    required: false,
    default: '500',
    unit: 'ms',
    doc: 'How long to wait.',
    kafka: 'poll.timeout',
    aliases: [],
    secret: false,
    deprecated: undefined,
  })
  expect(rows[2]).toMatchObject({ default: 'a:1,b:2', aliases: ['servers'] })
  // "object" alone left readers to guess, and a default that is an object was "[object Object]".
  expect(rows[3]).toMatchObject({ type: 'object of user, password' })
  expect(describeFields({ headers: field.any().default({ a: 1 }) })).toMatchObject([{ default: '{"a":1}' }])
})

// I8
test('takes secrets away, also inside objects', () => {
  const redacted = redact(fields, { topic: 't', token: 'hush', login: { user: 'u', password: 'hush' } })
  expect(redacted).toEqual({ topic: 't', token: '***', login: { user: 'u', password: '***' } })
})

import { describe, expect, test } from 'vitest'
import { compileTemplate, escapeJson, escapeUrl } from '../../src/functions/template.ts'
import { optionsOf } from '../support/functions.ts'

const ROW = {
  name: 'Ann "A"',
  zero: 0,
  none: null,
  user: { id: 7, 'full name': 'Ann' },
  items: [{ sku: 'a/b', tags: ['x', 'y'] }, { sku: 'c' }],
  empty: [],
  'dotted.name': 'd',
}

describe('a template of JSON', () => {
  test.each([
    { template: 'plain { text }', want: 'plain { text }' },
    { template: '{{name}}|{{ name }}', want: 'Ann \\"A\\"|Ann \\"A\\"' },
    { template: '{{{name}}}|{{& name}}', want: 'Ann "A"|Ann "A"' },
    { template: '{{user.id}}{{user.full}}{{dotted.name}}', want: '7d' },
    { template: '{{user}}', want: '{"id":7,"full name":"Ann"}' },
    { template: '{{nothing}}[{{none}}]', want: '[]' },
    { template: '{{items.1.sku}}{{items.[0].sku}}', want: 'ca/b' },
    { template: 'a{{! a note }}b{{!-- with {{tags}} --}}c', want: 'abc' },
    { template: '{{#each items}}{{@index}}:{{sku}}{{#unless @last}},{{/unless}}{{/each}}', want: '0:a/b,1:c' },
    {
      template: '{{#each items}}{{this.sku}}{{#each tags}}{{this}}{{../sku}}{{@root.user.id}}{{/each}};{{/each}}',
      want: 'a/bxa/b7ya/b7;c;',
    },
    { template: '{{#each user}}{{@key}}={{.}} {{/each}}', want: 'id=7 full name=Ann ' },
    { template: '{{#each empty}}x{{else}}none{{/each}}', want: 'none' },
    { template: '{{#each nothing}}x{{/each}}', want: '' },
    { template: '{{#if name}}yes{{else}}no{{/if}}', want: 'yes' },
    { template: '{{#if zero}}yes{{else}}no{{/if}}{{#if empty}}yes{{^}}no{{/if}}', want: 'nono' },
    { template: '{{#if none}}a{{else if zero}}b{{else if user}}c{{else}}d{{/if}}', want: 'c' },
    { template: '{{#unless none}}a{{else}}b{{/unless}}', want: 'a' },
    { template: '{{#with user}}{{id}}{{../name}}{{/with}}', want: '7Ann \\"A\\"' },
    { template: 'a {{~#if name~}} b {{~/if~}} c', want: 'abc' },
    { template: '{{@first}}', want: '' },
    // The brace behind a tag was taken for a part of it, so that a request's JSON lacked one.
    { template: '{"a":{"b":{{user.id}}}}', want: '{"a":{"b":7}}' },
    { template: '{"a":{{user.id}}} {{{user.id}}}}', want: '{"a":7} 7}' },
    { template: '{"a":{{#if name}}{"b":1}{{/if}}}', want: '{"a":{"b":1}}' },
  ])('$template gives $want', ({ template, want }) => {
    expect(compileTemplate(template)(ROW, escapeJson)).toBe(want)
  })
})

test('a template of an address encodes every value but the one that begins it', () => {
  const row = { base: 'http://a.b/c', id: 'x/y z', query: 'a=1&b=2', list: ['p/q'] }
  expect(compileTemplate('{{base}}/{{id}}?{{{query}}}{{#each list}}&i={{this}}{{/each}}')(row, escapeUrl)).toBe(
    'http://a.b/c/x%2Fy%20z?a=1&b=2&i=p%2Fq',
  )
})

describe('lint finds', () => {
  test.each([
    { body: '{{upper name}}', want: 'Unknown helper "upper": only columns and blocks are supported' },
    { body: '{{#ech items}}{{/ech}}', want: 'Unknown helper "#ech": did you mean "each"' },
    { body: '{{#repeat items}}{{/repeat}}', want: 'Unknown helper "#repeat": there are #each, #if, #unless, #with' },
    { body: '{{#each items}}', want: '{{#each}} is not closed: {{/each}} is missing' },
    { body: '{{#each items}}{{/if}}', want: '{{/if}} closes {{#each}}' },
    { body: '{{/if}}', want: '{{/if}} closes nothing' },
    { body: '{{else}}', want: '{{else}} is outside a block' },
    { body: '{{#if}}{{/if}}', want: '{{#if}} takes one column' },
    { body: '{{#each items as |item|}}{{/each}}', want: '{{#each}} takes one column' },
    { body: '{{}}', want: 'Cannot read {{}}' },
    { body: 'a {{name}', want: 'Cannot read {{name}: a tag ends in }}' },
    { body: '{{name}} {{ b', want: 'Cannot read {{ b: a tag ends in }}' },
  ])('$body: $want', ({ body, want }) => {
    expect(optionsOf('http.fetch', { url: 'http://a', method: 'POST', body }).problems).toEqual([
      `Cannot read the template: ${want}`,
    ])
    expect(optionsOf('http.fetch', { url: body }).problems).toEqual([`Cannot read the template: ${want}`])
  })
})

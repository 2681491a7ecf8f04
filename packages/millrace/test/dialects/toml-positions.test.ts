import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { parse } from 'smol-toml'
import { describe, expect, test } from 'vitest'
import { tomlOffsets } from '../../src/dialects/toml-positions.ts'
import { ROOT } from '../support/documentation.ts'

/** Every path of a value. */
function pathsOf(value: unknown, above: readonly string[] = []): string[] {
  const here = above.length === 0 ? [] : [above.join('.')]
  if (typeof value !== 'object' || value === null || value instanceof Date) return here
  return [...here, ...Object.entries(value).flatMap(([key, item]) => pathsOf(item, [...above, key]))]
}

const TEXT = `# a comment with [brackets] = and "quotes"
title = "a # b" # = c
"quoted.key" = 1
a.b.c = [1, [2, 3], { x = "]", y.z = '}' }]

[ table . "with space" ]
long = """
[not.a.table]
key = "escaped \\"""
""" # """
raw = '''
it's '''
date = 2026-01-31T00:00:00Z
[[stages]]
id = "one"
[stages.config]
linger.ms = 5
list = [ # first
  "a", # comment, with comma
  "b",
]
[[stages]]
  id = "two"
  config = { topic = "t", nested = { deep = [ { n = 1 } ] } }
[[stages.inner]]
x = 1
[[stages.inner]]
x = 2
[stages.inner.more]
y = 3
`

describe('places in TOML', () => {
  test.each([
    { path: 'title', at: 'title =' },
    { path: 'quoted.key', at: '"quoted.key"' },
    { path: 'a.b', at: 'a.b.c' },
    { path: 'a.b.c.1.0', at: '2, 3' },
    { path: 'a.b.c.2.y.z', at: 'y.z' },
    { path: 'table.with space', at: '[ table' },
    { path: 'table.with space.raw', at: "raw = '''" },
    { path: 'table.with space.date', at: 'date' },
    { path: 'stages.0', at: '[[stages]]\nid = "one"' },
    { path: 'stages.0.config', at: '[stages.config]' },
    { path: 'stages.0.config.linger.ms', at: 'linger.ms' },
    { path: 'stages.0.config.list.1', at: '"b"' },
    { path: 'stages.1.config.nested.deep.0.n', at: 'n = 1' },
    { path: 'stages.1.inner.1.x', at: 'x = 2' },
    { path: 'stages.1.inner.1.more.y', at: 'y = 3' },
  ])('$path is at "$at"', ({ path, at }) => {
    expect(TEXT.slice(tomlOffsets(TEXT).get(path)).startsWith(at)).toBe(true)
  })

  test('are known for everything that the parser finds', () => {
    const offsets = tomlOffsets(TEXT)
    expect(pathsOf(parse(TEXT)).filter((path) => !offsets.has(path))).toEqual([])
  })

  test('are known for everything in the examples', async () => {
    const names = (await readdir(join(ROOT, 'examples'))).filter((name) => name.endsWith('.toml'))
    expect(names.length).toBeGreaterThan(3)
    for (const name of names) {
      const text = await readFile(join(ROOT, 'examples', name), 'utf8')
      const offsets = tomlOffsets(text)
      expect(
        pathsOf(parse(text)).filter((path) => !offsets.has(path)),
        name,
      ).toEqual([])
      // A key stands where its last name does.
      for (const [path, offset] of offsets)
        if (!/\.?\d+$/.test(path)) expect(text.slice(offset, offset + 80)).toContain(path.split('.').at(-1)!)
    }
  })
})

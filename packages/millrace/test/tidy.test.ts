/**
 * Tidiness that a machine can check, so that reviews need not.
 *
 * Beside this file: the linter bounds files and functions and forbids cycles (`oxlint.config.ts`), knip finds dead files and
 * exports, `npm run check:docs` finds generated pages that are out of date, and `documentation.test.ts` follows links.
 */
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'
import { describe, expect, test } from 'vitest'
import { documents, ROOT } from './support/documentation.ts'

const PACKAGE = join(ROOT, 'packages/millrace')
const SRC = join(PACKAGE, 'src')
const TEST = join(PACKAGE, 'test')

/** All TypeScript files below a folder of the repository, relative to its root. */
function sources(folder: string): string[] {
  return readdirSync(join(ROOT, folder), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.ts') && !/(?:^|\/)(?:node_modules|dist)\//.test(name))
    .map((name) => join(folder, name))
}

const WORKSPACE = [
  'packages/millrace/src',
  'packages/millrace/test',
  'chaos',
  'compat',
  'bench',
  'demo',
  'test-bed',
  'tools',
]
const textOf = (file: string): string => readFileSync(join(ROOT, file), 'utf8')

/** A page without its blocks of code. */
const proseOf = (file: string): string => textOf(file).replaceAll(/^( *)```[\s\S]*?^ *```/gm, '')

describe('folders of src', () => {
  /** Catalogues: one file for each thing of a kind, so their length is their content. */
  const CATALOGUES = ['stages', 'functions', 'cli', 'protocol/messages', 'broker/apis']

  test('have at most 22 files each, except catalogues', () => {
    const files = sources('packages/millrace/src').map((file) => relative('packages/millrace/src', file))
    const counts = Map.groupBy(files, (file) => dirname(file))
    const full = [...counts].filter(([folder, list]) => list.length > 22 && !CATALOGUES.includes(folder))
    expect(full.map(([folder, list]) => `${folder}: ${list.length} files`)).toEqual([])
  })

  test('hold files whose median is below 120 lines', () => {
    const lengths = sources('packages/millrace/src').map((file) => textOf(file).split('\n').length)
    expect(lengths.toSorted((a, b) => a - b)[lengths.length >> 1]).toBeLessThan(120)
  })
})

describe('tests', () => {
  /** Tests of the repository or of the package as a whole, and of the folders beside it. */
  const OF_THE_WHOLE = /^(?:contract|chaos|compat|test-bed|support|fixtures)\/|^[\w-]+\.(?:integration\.)?test\.ts$/

  /** A test is in the folder of its subject, and named after the file or, if it tests several files, after what they do. */
  test('are in folders that src has', () => {
    const stray = readdirSync(TEST, { recursive: true, encoding: 'utf8' })
      .filter((file) => file.endsWith('.test.ts') && !OF_THE_WHOLE.test(file))
      .filter((file) => !existsSync(join(SRC, dirname(file))))
    expect(stray).toEqual([])
  })

  /** These pages quote, for each line, the test that shows it. */
  test.each(['docs/guarantees.md', 'docs/seeds.md'])('that %s quotes exist', (page) => {
    const suites = [...sources('packages/millrace/test'), ...sources('chaos')].map(textOf).join('\n')
    const quoted = [...textOf(page).matchAll(/"([a-z][^"\n]{8,})"/g)].map(([, name]) => name!)
    expect(quoted.length).toBeGreaterThan(15)
    expect(quoted.filter((name) => !suites.includes(name))).toEqual([])
  })
})

describe('cited files', () => {
  /** `engine/plan.ts` in a comment promises that the file is there. */
  test('of comments exist', () => {
    const missing = WORKSPACE.flatMap(sources).flatMap((file) =>
      [...textOf(file).matchAll(/\/\*\*[\s\S]*?\*\/|\/\/.*$/gm)]
        .flatMap(([comment]) => [...comment.matchAll(/(?:^|[\s`(])((?:[\w.-]+\/)*[\w-]+\.(?:ts|md))\b/gm)])
        .filter(([, cited]) => !isThere(cited!, file))
        .map(([, cited]) => `${file}: ${cited}`),
    )
    expect(missing).toEqual([])
  })

  /** History may name what is gone. */
  test('of documents exist', () => {
    const missing = documents()
      .filter((file) => !/^CHANGELOG|\/decisions\//.test(file))
      .flatMap((file) =>
        [...proseOf(file).matchAll(/`((?:[\w.-]+\/)+[\w-]+\.(?:ts|md))`/g)]
          // NAME stands for a file to come.
          .filter(([, cited]) => !cited!.includes('NAME') && !isThere(cited!, file))
          .map(([, cited]) => `${file}: ${cited}`),
      )
    expect(missing).toEqual([])
  })

  function isThere(cited: string, file: string): boolean {
    return [ROOT, PACKAGE, SRC, TEST, join(ROOT, 'docs'), ...ancestors(file)].some((place) =>
      existsSync(join(place, cited)),
    )
  }

  function ancestors(file: string): string[] {
    const folders: string[] = []
    for (let folder = dirname(file); folder !== '.'; folder = dirname(folder)) folders.push(join(ROOT, folder))
    return folders
  }
})

describe('documents', () => {
  test('have one heading of the first level', () => {
    const odd = documents().filter((file) => proseOf(file).match(/^# .+$/gm)?.length !== 1)
    expect(odd).toEqual([])
  })

  test('CHANGELOG.md lists changes as Added, Changed, Fixed or Removed, one per bullet', () => {
    const HEADING =
      /^# Changelog$|^## (?:Unreleased|\d+\.\d+\.\d+ \(\d{4}-\d\d-\d\d\))$|^### (?:Added|Changed|Fixed|Removed)$/
    const lines = textOf('CHANGELOG.md').split('\n')
    expect(lines.filter((line) => line.startsWith('#') && !HEADING.test(line))).toEqual([])
    const bullets = lines.filter((line) => line.startsWith('- '))
    expect(bullets.length).toBeGreaterThan(10)
    // Two sentences, perhaps three short ones; a story belongs to the commit.
    expect(bullets.filter((line) => line.length > 400)).toEqual([])
  })
})

describe('words', () => {
  /** Words that make English read like a translation; CONTRIBUTING.md lists what to write instead. */
  const STRANGE = new RegExp(
    [
      'anew|whoever|nobody|those who|at the most|what becomes of|takes? note of|in silence|lets? go of|mistakes?',
      'hand(?:s|ed)? out|gives? (?:back|out)|makes? of|goes? on|tells?|told(?! otherwise)|(?:is|are) away',
      'stands? (?:in|at|behind|before|beside|under)|as (?:it|they) stands?',
    ]
      .map((words) => `\\b(?:${words})\\b`)
      .join('|'),
    'i',
  )

  test('documents read like English', () => {
    const found = documents()
      .filter((file) => !file.startsWith('docs/decisions/'))
      .flatMap((file) =>
        withoutWordList(proseOf(file))
          .split('\n')
          .filter((line) => STRANGE.test(line.replaceAll(/`[^`]*`/g, '')))
          .map((line) => `${file}: ${line.slice(0, 160)}`),
      )
    expect(found).toEqual([])
  })

  /** The list of strange words is the only place for them. */
  function withoutWordList(text: string): string {
    return text.replace(/^\| instead of \| write \|\n(?:\|.*\n)+/m, '')
  }

  const LITERAL = "'(?:[^'\\\\\\n]|\\\\.)*'|`(?:[^`\\\\]|\\\\.)*`"

  test('texts in the source read like English', () => {
    expect(strangeTexts('packages/millrace/src', new RegExp(`(${LITERAL})`, 'g'))).toEqual([])
  })

  test('names of tests read like English', () => {
    const names = new RegExp(`(?:\\b(?:test|describe)(?:\\.\\w+)*\\(|^ +\\]\\)\\(|\\bname: )(${LITERAL})`, 'gm')
    expect(strangeTexts('packages/millrace/test', names)).toEqual([])
  })

  function strangeTexts(folder: string, texts: RegExp): string[] {
    return sources(folder).flatMap((file) => {
      const code = textOf(file).replaceAll(/\/\*[\s\S]*?\*\/|^\s*\/\/.*$|\$\{\w+\}/gm, '')
      return [...code.matchAll(texts)]
        .map(([, literal]) => literal!)
        .filter((literal) => STRANGE.test(literal))
        .map((literal) => `${file}: ${STRANGE.exec(literal)![0]} in ${literal.slice(0, 100)}`)
    })
  }
})

import { execFileSync } from 'node:child_process'
import { describe, expect, test } from 'vitest'
import { completion } from '../../src/cli/completion.ts'
import { VERBS } from '../../src/cli/verbs/index.ts'
import { SHELLS } from '../../src/cli/verbs/shells.ts'

async function scriptFor(shell: string): Promise<string> {
  const { result } = await completion(shell, { json: true }, VERBS)
  return (result as { script: string }).script
}

test.each(SHELLS)('%s completes every command and every option', async (shell) => {
  const script = await scriptFor(shell)
  for (const { name, alias, options = [] } of VERBS) {
    expect(script).toContain(name)
    if (alias !== undefined) expect(script).toContain(alias)
    for (const { flags } of options) expect(script).toContain(/--([\w-]+)/.exec(flags)![1])
  }
})

describe('bash', () => {
  async function completed(...words: string[]): Promise<string[]> {
    const quoted = words.map((word) => `'${word}'`).join(' ')
    const script = `${await scriptFor('bash')}\nCOMP_WORDS=(${quoted}); COMP_CWORD=${words.length - 1}; _millrace; printf '%s\\n' "\${COMPREPLY[@]}"`
    return execFileSync('bash', ['-c', script], { encoding: 'utf8', cwd: import.meta.dirname })
      .trim()
      .split('\n')
  }

  test.each([
    { words: ['millrace', 'dis'], want: ['discover'] },
    { words: ['millrace', 'va'], want: ['validate'] },
    { words: ['millrace', 'discover', '--format', ''], want: ['table', 'json', 'yaml'] },
    { words: ['millrace', 'discover', '-f', 'y'], want: ['yaml'] },
    { words: ['millrace', 'run', '--u'], want: ['--until-end'] },
    { words: ['millrace', 'completion', 'z'], want: ['zsh'] },
    { words: ['millrace', 'info', 'stage.mat'], want: ['stage.match'] },
    { words: ['millrace', 'spec', 'source.ka'], want: ['source.kafka'] },
    { words: ['millrace', 'lint', 'completion.t'], want: ['completion.test.ts'] },
  ])('completes $words', async ({ words, want }) => {
    expect(await completed(...words)).toEqual(want)
  })
})

test('refuses an unknown shell', async () => {
  await expect(completion('bsh', {}, VERBS)).rejects.toMatchObject({
    code: 'CONFIG_INVALID',
    message: 'Unknown shell "bsh": did you mean "bash"',
  })
})

/** Builds the dashboard into the package that serves it: one script, one style sheet, one page. Nothing is loaded from elsewhere. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { defineConfig } from 'rolldown'

const read = (...path: string[]): string => readFileSync(join(import.meta.dirname, ...path), 'utf8')

export default defineConfig({
  input: { dashboard: join(import.meta.dirname, 'src', 'main.ts') },
  platform: 'browser',
  logLevel: 'warn',
  output: {
    dir: join(import.meta.dirname, '..', 'millrace', 'dist', 'dashboard'),
    format: 'esm',
    entryFileNames: '[name].js',
    minify: true,
  },
  plugins: [
    {
      name: 'page',
      // Indentation of templates is not removed by minifying; what counts to htm are the line breaks.
      transform: {
        filter: { id: /dashboard\/src\// },
        handler: (code) => code.replaceAll(/\n[ \t]+/g, '\n'),
      },
      generateBundle() {
        this.emitFile({ type: 'asset', fileName: 'index.html', source: read('src', 'index.html') })
        const own = read('src', 'style.css')
          .replaceAll(/\/\*.*?\*\//gs, '')
          .replaceAll(/\s*([{};\n])\s*/g, '$1')
          .replaceAll('\n', ' ')
        const styles = `${read('..', '..', 'node_modules', 'uplot', 'dist', 'uPlot.min.css')}\n${own}`
        this.emitFile({ type: 'asset', fileName: 'style.css', source: styles })
        const licences = ['preact', 'uplot'].map(
          (name) => `${name}\n\n${read('..', '..', 'node_modules', name, 'LICENSE')}`,
        )
        // Its licence is that of this package, whose text is there.
        const ofHtm = 'htm\n\nCopyright 2018 Google Inc. Apache License 2.0: see the file LICENSE of this package.'
        this.emitFile({ type: 'asset', fileName: 'LICENCES.txt', source: [...licences, ofHtm].join('\n\n') })
      },
    },
  ],
})

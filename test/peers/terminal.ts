import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { execa } from 'execa'
import { eventually } from '../support/eventually.ts'

/** A shell in a real terminal of 80 columns, by tmux. */
export interface Shell {
  /** Types a line and Enter, waits for the next prompt, and gives what stood between. */
  run(line: string): Promise<string>
  /** Types a line and Enter, and waits until the screen has this. */
  start(line: string, until: string | RegExp): Promise<string>
  /** Keys by tmux's names, then waits until the screen has this. */
  press(keys: readonly string[], until: string | RegExp): Promise<string>
  /** Presses keys, waits for the prompt, and gives all that the screen has. */
  finish(keys: readonly string[]): Promise<string>
  close(): Promise<void>
}

/** Ends a command: nothing else prints it. */
const PROMPT = '▶'

/** Rows enough for the longest screen; `path` comes before all else. */
export async function openShell(folder: string, path: string): Promise<Shell> {
  const place = mkdtempSync(join(tmpdir(), 'dap-tmux-'))
  const tmux = async (...words: readonly string[]) =>
    (
      await execa('tmux', ['-u', '-f', '/dev/null', '-S', join(place, 'socket'), ...words], {
        env: { TERM: 'xterm-256color', LC_ALL: 'C.UTF-8' },
      })
    ).stdout
  const { HOME = '', PATH = '' } = process.env
  const own = { HOME, PATH: `${path}:${PATH}`, PS1: `${PROMPT} `, LC_ALL: 'C.UTF-8', TZ: 'UTC' }
  const shell = ['env', '-i', 'TERM=tmux-256color', ...Object.entries(own).map(([name, value]) => `${name}=${value}`)]
  await tmux('new-session', '-d', '-x', '80', '-y', '150', '-c', folder, ...shell, 'bash', '--norc', '--noprofile')
  // A line that the terminal had to break is one line, which shows.
  const screen = async () => (await tmux('capture-pane', '-p', '-J')).replace(/[ \t]+$/gm, '').replace(/\n+$/, '')
  const shows = (until: string | RegExp) =>
    eventually(async () => {
      const text = await screen()
      if (!(typeof until === 'string' ? text.includes(until) : until.test(text)))
        throw new Error(`no ${until} in\n${text}`)
      return text
    })
  const type = async (line: string) => {
    await tmux('send-keys', 'C-l')
    await shows(new RegExp(`^${PROMPT}$`))
    await tmux('send-keys', '-l', line)
    await tmux('send-keys', 'Enter')
  }
  /** The next prompt stands below what was typed. */
  const atPrompt = () => shows(new RegExp(`${PROMPT} \\S[^]*\\n${PROMPT}$`))
  const between = (text: string) =>
    text
      .split('\n')
      .slice(1, -1)
      .map(line => line.trimEnd())
      .join('\n')
  await shows(PROMPT)
  return {
    async run(line) {
      await type(line)
      return between(await atPrompt())
    },
    async start(line, until) {
      await type(line)
      return shows(until)
    },
    async press(keys, until) {
      await tmux('send-keys', ...keys)
      return shows(until)
    },
    async finish(keys) {
      await tmux('send-keys', ...keys)
      return between(await atPrompt())
    },
    async close() {
      await tmux('kill-server').catch(() => {})
      rmSync(place, { recursive: true, force: true })
    },
  }
}

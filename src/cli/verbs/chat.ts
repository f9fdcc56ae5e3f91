/**
 * `llama-32k chat`: a conversation in the terminal, or one message per line from a pipe.
 *
 * The whole conversation is the prompt of every reply; what was computed of it for the one before
 * is kept. Ctrl-C ends the reply, which stays as far as it came; a second one, or one while nothing
 * is computed, ends the program.
 */
import { LlamaError } from '../../base/errors.js';
import { escapeFor } from '../../base/escape.js';
import { openChatFormat } from '../../load/chat-format.js';
import { EMBEDDED_MODEL, type LoadedModel, loadModel } from '../../load/model.js';
import type { ChatFormat } from '../../text/chat/format.js';
import { generate } from '../../text/generate.js';
import type { GenerateOptions } from '../../text/options.js';
import type { Message } from '../../text/prompt.js';
import type { GenerationResult } from '../../text/result.js';
import { TokenSequence } from '../../text/token-sequence.js';
import { CHAT_OPTIONS, chatTemplate, systemMessages } from '../arguments/chat.js';
import { aboutFlags } from '../arguments/flags.js';
import {
  CARD_SETTINGS,
  GENERATION_OPTIONS,
  generationOptions,
  resultAsJson,
} from '../arguments/generation.js';
import { noteUnusedSettings } from '../arguments/generation-config.js';
import { ENGINE, engineOptions, modelPath, withLoaded } from '../arguments/model.js';
import { MODEL, type Options, type Verb } from '../arguments/options.js';
import { ABOUT_EMBEDDED, SUGGESTIONS } from '../arguments/suggestions.js';
import { tellLeftOut, tokenizerForText } from '../arguments/tokenizer.js';
import { report } from '../terminal/errors.js';
import { Interrupted, type Io, note, write, writeJson } from '../terminal/io.js';
import { MessageReader } from '../terminal/message-reader.js';
import { Progress } from '../terminal/progress.js';

export const chatVerb: Verb = {
  name: 'chat',
  usage: '[options]',
  summary: 'A conversation in the terminal; from a pipe, every line is a message.',
  details: [
    'Ctrl-C ends a reply, Ctrl-C at the prompt the conversation; /help lists the commands. A ' +
      'conversation that no longer fits into the context is an error, nothing is dropped: /reset ' +
      'begins a new one.',
    'Lines that are pasted on a terminal are one message; Enter sends it.',
    `Without options replies are greedy. ${CARD_SETTINGS}`,
    ABOUT_EMBEDDED,
  ],
  options: [...MODEL, ...CHAT_OPTIONS, ...GENERATION_OPTIONS, ...ENGINE],
  json: 'Print one line of JSON for every reply, as generate does.',
  run,
};

/** The last two are what Ollama's and other users type. */
const QUIT = ['/quit', '/exit', '/bye'];

const COMMANDS = [
  '/help   show this',
  '/reset  forget the conversation',
  '/stats  how long the conversation is, how much of it was reused, how fast the last reply was',
  '/quit   end; so do Ctrl-D and Ctrl-C',
  'To send a message that begins with /, put a space in front.',
  'Lines that are pasted are one message; Enter sends it.',
];

async function run(options: Options, io: Io): Promise<void> {
  const json = options.flag('json');
  const progress = new Progress(io, json);
  const path = await modelPath(options, io);
  const tokenizer = await tokenizerForText(path, 'generate --tokens takes token ids');
  const format = await openChatFormat({ path, tokenizer }, chatTemplate(options));
  const engine = engineOptions(options, { progress });
  await withLoaded({ io, json, progress }, loadModel(path, engine, tokenizer), async loaded => {
    noteUnusedSettings(io, options, loaded);
    const generation = generationOptions(options, format.ends(loaded.model.config));
    const tell = (text: string) => tellLeftOut(tokenizer.leftOut(text), options, io);
    tell(options.text('system') ?? '');
    // Starts nothing, but looks at the options: better now than after the first message.
    generate(loaded.model, loaded.tokenizer, [loaded.model.config.bosTokenId ?? 0], generation);
    const conversation = { format, beginning: systemMessages(options) };
    await new Chat(io, loaded, conversation, generation, { json, tell }).run();
  });
}

/** Several lines, of which the first has a path, say, are none. */
const isCommand = (message: string): boolean =>
  message.startsWith('/') && !message.trimEnd().includes('\n');

interface Conversation {
  readonly format: ChatFormat;
  /** What comes before the first message of the person. */
  readonly beginning: readonly Message[];
}

interface Output {
  readonly json: boolean;
  /** Says what is to be known of a message. */
  readonly tell: (message: string) => void;
}

class Chat {
  readonly #io: Io;
  readonly #loaded: LoadedModel;
  readonly #conversation: Conversation;
  readonly #generation: GenerateOptions;
  readonly #json: boolean;
  readonly #tell: Output['tell'];
  readonly #reader: MessageReader;
  #messages: readonly Message[];
  /** What is computed of the conversation, so that a turn computes only what is new. */
  #sequence: TokenSequence;
  #last: GenerationResult | undefined;
  /** Of the reply that is being computed. */
  #reply: AbortController | undefined;
  #interrupted = false;

  constructor(
    io: Io,
    loaded: LoadedModel,
    conversation: Conversation,
    generation: GenerateOptions,
    { json, tell }: Output,
  ) {
    this.#io = io;
    this.#loaded = loaded;
    this.#conversation = conversation;
    this.#messages = conversation.beginning;
    this.#sequence = new TokenSequence(loaded.model);
    this.#generation = generation;
    this.#json = json;
    this.#tell = tell;
    this.#reader = new MessageReader(io, this.#interrupt);
  }

  /** Until the input ends, one of `QUIT`, or Ctrl-C, which throws `Interrupted`. */
  async run(): Promise<void> {
    const off = this.#io.onInterrupt(this.#interrupt);
    if (this.#reader.isTerminal) {
      note(this.#io, 'write to the model; /help lists the commands');
      if (this.#loaded.path === EMBEDDED_MODEL)
        this.#io.stderr.write(`for instance:\n  ${SUGGESTIONS.join('\n  ')}\n`);
    }
    try {
      this.#reader.prompt();
      for await (const message of this.#reader) {
        if (this.#interrupted || QUIT.includes(message.trim())) break;
        if (isCommand(message)) this.#command(message.trim());
        else if (message.trim() !== '') await this.#answer(message);
        this.#reader.prompt();
      }
    } finally {
      this.#reader.close();
      off();
    }
    if (this.#interrupted) throw new Interrupted('interrupted');
  }

  readonly #interrupt = (): void => {
    if (this.#reply !== undefined && !this.#reply.signal.aborted) {
      this.#reply.abort(new Interrupted('interrupted'));
      return;
    }
    this.#interrupted = true;
    this.#reader.close();
  };

  #command(line: string): void {
    if (line === '/reset') {
      this.#messages = this.#conversation.beginning;
      this.#last = undefined;
      this.#sequence.dispose();
      this.#sequence = new TokenSequence(this.#loaded.model);
      note(this.#io, 'the conversation is forgotten');
    } else if (line === '/stats') note(this.#io, this.#stats());
    else if (line === '/help') this.#io.stderr.write(`${COMMANDS.join('\n')}\n`);
    else note(this.#io, `there is no command ${line}; /help lists them`);
  }

  #stats(): string {
    if (this.#last === undefined) return 'nothing was said yet';
    const { promptTokens, reusedTokens, tokens, timings } = this.#last;
    const context = this.#loaded.model.config.maxPositionEmbeddings;
    // none for one token
    const perSecond = ((tokens.length - 1) / timings.decodeSeconds || 0).toFixed(1);
    return (
      `${promptTokens + tokens.length} of ${context} tokens in ${this.#messages.length} ` +
      `messages; last reply: ${reusedTokens} of ${promptTokens} prompt tokens were there, the ` +
      `rest took ${timings.prefillSeconds.toFixed(2)} s, then ${tokens.length} tokens, ` +
      `${perSecond} a second`
    );
  }

  /** Prints the reply. A message that gets none, because of an error or Ctrl-C, is taken back. */
  async #answer(content: string): Promise<void> {
    const messages: Message[] = [...this.#messages, { role: 'user', content }];
    this.#tell(content);
    this.#reply = new AbortController();
    const reply = { text: '' };
    try {
      const { maxPositionEmbeddings } = this.#loaded.model.config;
      const prompt = this.#conversation.format.encode(messages, maxPositionEmbeddings);
      await this.#generate(prompt, reply, this.#reply.signal);
    } catch (error) {
      if (!(error instanceof LlamaError) && !(error instanceof Interrupted)) throw error;
      report(aboutFlags(error, GENERATION_OPTIONS), this.#io, this.#json);
      if (reply.text === '') return;
    } finally {
      this.#reply = undefined;
    }
    this.#messages = [...messages, { role: 'assistant', content: reply.text }];
  }

  /** Adds to `reply` what was shown, also when it is interrupted. */
  async #generate(
    prompt: readonly number[],
    reply: { text: string },
    signal: AbortSignal,
  ): Promise<void> {
    const { model, tokenizer } = this.#loaded;
    const { stdout } = this.#io;
    const progress = new Progress(this.#io, this.#json);
    const steps = generate(model, tokenizer, prompt, {
      ...this.#generation,
      sequence: this.#sequence,
      signal,
      onProgress: ({ stage, done, total }) => {
        if (stage === 'prefill') progress.prefill(done, total);
      },
    });
    try {
      for await (const { text, result } of steps) {
        progress.clear();
        reply.text += text;
        this.#last = result ?? this.#last;
        if (!this.#json) await write(stdout, escapeFor(stdout, text));
      }
      if (this.#json) await writeJson(this.#io, resultAsJson(this.#loaded, this.#last!));
    } finally {
      progress.clear();
      // the next prompt begins a line
      if (!this.#json && !reply.text.endsWith('\n')) await write(stdout, '\n');
    }
  }
}

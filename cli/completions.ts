// `ovid completions`: scripts that make shells complete commands, flags and their values, from the same table as
// the help.

import { type Command, exitCodes, type Flag, unknownWord, UsageError } from "./command.ts";
import { commands } from "./commands.ts";

const shells = ["bash", "zsh", "fish"] as const;

/** `ovid completions`. */
export const command: Command = {
  name: "completions",
  synopsis: "bash|zsh|fish",
  summary: "Prints what makes a shell complete commands and flags.",
  doc: `Put it where the shell reads it at its start:

  bash  eval "$(ovid completions bash)" in ~/.bashrc
  zsh   ovid completions zsh > a file _ovid in a folder of $fpath
  fish  ovid completions fish > ~/.config/fish/completions/ovid.fish`,
  words: shells,
  operands: [1, 1],
  flags: [],
  examples: [{ line: "ovid completions bash", doc: "The functions for bash" }],
  async run(call) {
    const [name = ""] = call.operands;
    const shell = shells.find((each) => each === name);
    if (shell === undefined) {
      throw new UsageError(unknownWord(`shell ${name}`, name, shells.map((name) => ({ name }))));
    }
    const loaded = await Promise.all(commands.map((entry) => entry.load()));
    console.log(writers[shell]([...loaded, helpCommand]).join("\n"));
    return exitCodes.fine;
  },
};

/** What completion knows of a command. */
type Completed = Pick<Command, "name" | "summary" | "flags" | "words">;

// Read by main.ts itself.
const helpCommand: Completed = {
  name: "help",
  summary: "Says more about a command.",
  flags: [],
  words: commands.map(({ name }) => name),
};

const help: Flag = { name: "help", doc: "Shows its help" };

function flagsOf({ flags }: Completed): readonly Flag[] {
  return [...flags.filter(({ hidden }) => !hidden), help];
}

/** Whether the value of a flag is a path. */
function takesPath({ value }: Flag): boolean {
  return value === "FILE" || value === "FOLDER" || value === "GRID";
}

const writers = { bash: bashLines, zsh: zshLines, fish: fishLines };

function bashLines(all: readonly Completed[]): string[] {
  const names = all.map(({ name }) => name).join(" ");
  const cases = all.flatMap((each) => {
    return [
      `    ${each.name})`,
      `      flags="${flagsOf(each).map(({ name }) => `--${name}`).join(" ")}"`,
      `      words="${(each.words ?? []).join(" ")}"`,
      "      ;;",
    ];
  });
  return [
    '# Completion of ovid for bash: eval "$(ovid completions bash)"',
    "_ovid() {",
    "  local current=${COMP_WORDS[COMP_CWORD]} flags= words=",
    "  COMPREPLY=()",
    '  if [ "$COMP_CWORD" -eq 1 ]; then',
    `    COMPREPLY=($(compgen -W "${names}" -- "$current"))`,
    "    return",
    "  fi",
    "  case ${COMP_WORDS[1]} in",
    ...cases,
    "  esac",
    "  case $current in",
    '    -*) COMPREPLY=($(compgen -W "$flags" -- "$current")) ;;',
    '    *) COMPREPLY=($(compgen -W "$words" -- "$current")) ;;',
    "  esac",
    "}",
    // Where nothing fits it is a file.
    "complete -o default -F _ovid ovid",
  ];
}

function zshLines(all: readonly Completed[]): string[] {
  const quoted = (text: string) => `'${text.replaceAll("'", "'\\''")}'`;
  // Colons and brackets part the fields of a specification.
  const field = (text: string) => text.replaceAll(/[\\:[\]]/g, "\\$&");
  const cases = all.flatMap((each) => [
    `    ${each.name})`,
    "      _arguments -S \\",
    ...flagsOf(each).map((flag) => {
      const taken = flag.value === undefined
        ? ""
        : `:${field(flag.value)}:${takesPath(flag) ? "_files" : ""}`;
      return `        ${quoted(`--${flag.name}[${field(flag.doc)}]${taken}`)} \\`;
    }),
    `        ${quoted(`*: :{ compadd -- ${(each.words ?? []).join(" ")}; _files }`)}`,
    "      ;;",
  ]);
  return [
    "#compdef ovid",
    "_ovid() {",
    "  local -a commands",
    "  commands=(",
    ...all.map(({ name, summary }) => `    ${quoted(`${name}:${field(summary)}`)}`),
    "  )",
    "  if (( CURRENT == 2 )); then",
    "    _describe command commands",
    "    return",
    "  fi",
    "  local command=${words[2]}",
    "  shift words",
    "  (( CURRENT-- ))",
    "  case $command in",
    ...cases,
    "  esac",
    "}",
    'if [ "$funcstack[1]" = _ovid ]; then _ovid "$@"; else compdef _ovid ovid; fi',
  ];
}

function fishLines(all: readonly Completed[]): string[] {
  const quoted = (text: string) => `'${text.replaceAll(/['\\]/g, "\\$&")}'`;
  return [
    "# Completion of ovid for fish",
    ...all.flatMap((each) => {
      const { name, summary, words = [] } = each;
      const seen = `-n ${quoted(`__fish_seen_subcommand_from ${name}`)}`;
      return [
        `complete -c ovid -n __fish_use_subcommand -f -a ${name} -d ${quoted(summary)}`,
        ...flagsOf(each).map((flag) => {
          const taken = flag.value === undefined ? "" : takesPath(flag) ? " -r -F" : " -x";
          return `complete -c ovid ${seen} -l ${flag.name}${taken} -d ${quoted(flag.doc)}`;
        }),
        ...words.length === 0 ? [] : [`complete -c ovid ${seen} -a ${quoted(words.join(" "))}`],
      ];
    }),
  ];
}

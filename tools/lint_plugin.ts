// The project's own lint rules. What they hold: a step of an agent is a function of state, message and context,
// so that it gives the same on every machine, live, on replay and in the simulator; mod.ts only re-exports; only
// the command line ends the process; no test is left alone with `.only`.

type Node = Deno.lint.Node;
type Report = (node: Node, message: string, hint: string) => void;

const TIME = "Use the step's own time (ctx.now), and ask for a timer (ctx.setTimer)";
const CHANCE = "Draw from the seeded random of the step (ctx.random)";
const WORLD = "Record what should happen (ctx.send, ctx.append, ctx.note), and let a driver do it";
const WAIT = "Answer at once; a later message or timer goes on from there";
const STATE =
  "Keep it in the agent's state; a constant is `const`, its type a ReadonlyMap, ReadonlySet or alike";
const EXACT =
  "Use integers and the exact functions of Math; the others may differ between machines";
const LOCALE = "Compare by < and >, and format by hand: the same on every machine";

const UNTIMELY: ReadonlyMap<string, string> = new Map([
  ...["Date", "performance", "Temporal"].map((name) => [name, TIME] as const),
  ...["setTimeout", "setInterval", "setImmediate"].map((name) => [name, TIME] as const),
  ...["clearTimeout", "clearInterval", "queueMicrotask"].map((name) => [name, TIME] as const),
  ...["crypto", "WeakRef", "FinalizationRegistry"].map((name) => [name, CHANCE] as const),
  ["Intl", LOCALE],
  ["globalThis", WORLD],
]);

const IMPURE: ReadonlyMap<string, string> = new Map([
  ...UNTIMELY,
  ...["Deno", "process", "console", "fetch", "Worker"].map((name) => [name, WORLD] as const),
  ["Promise", WAIT],
]);

const EXACT_MATH: ReadonlySet<string> = new Set(
  [
    "abs",
    "ceil",
    "clz32",
    "floor",
    "fround",
    "imul",
    "max",
    "min",
    "round",
    "sign",
    "sqrt",
    "trunc",
  ],
);

const MUTABLE: ReadonlySet<string> = new Set(["Map", "Set", "WeakMap", "WeakSet", "Array"]);

const ROOT = decodeURIComponent(new URL("..", import.meta.url).pathname);

/** Below the project's root, so that a folder above it cannot be taken for one of ours. */
function pathInProject(filename: string): string {
  return filename.startsWith(ROOT) ? filename.slice(ROOT.length) : filename;
}

function isTest(path: string): boolean {
  return /_(test|bench)\.ts$/.test(path);
}

/** A rule that sees only the files for which `applies` holds. */
function rule(
  applies: (path: string) => boolean,
  visit: (report: Report) => Deno.lint.LintVisitor,
): Deno.lint.Rule {
  return {
    create(ctx) {
      if (!applies(pathInProject(ctx.filename))) return {};
      return visit((node, message, hint) => ctx.report({ node, message, hint }));
    },
  };
}

function samePlace(a: Node | null | undefined, b: Node): boolean {
  return a?.range[0] === b.range[0] && a.range[1] === b.range[1];
}

/** Whether an identifier stands for a value, and is not a property's name, part of a type, or an import's. */
function isValue(node: Deno.lint.Identifier): boolean {
  const { parent } = node;
  switch (parent.type) {
    case "MemberExpression":
      return parent.computed || samePlace(parent.object, node);
    case "Property":
    case "PropertyDefinition":
    case "MethodDefinition":
      return parent.computed || samePlace(parent.value, node);
    case "BinaryExpression":
      return parent.operator !== "instanceof"; // To refuse a promise is not to wait for it.
    case "ImportSpecifier":
    case "ExportSpecifier":
      return false;
    case "TSAsExpression":
    case "TSSatisfiesExpression":
    case "TSNonNullExpression":
      return true;
    default:
      return !parent.type.startsWith("TS");
  }
}

function checkMath(node: Deno.lint.Identifier, report: Report): void {
  const { parent } = node;
  const member = parent.type === "MemberExpression" && !parent.computed
    ? parent.property
    : undefined;
  const name = member?.type === "Identifier" ? member.name : "";
  if (EXACT_MATH.has(name)) return;
  if (name === "random") report(node, "Math.random is not seeded", CHANCE);
  else report(node, `Math.${name || "*"} is not exact`, EXACT);
}

/** What holds for pure code and for the simulator alike: no names of `forbidden`, nothing inexact or local. */
function sameEverywhere(
  forbidden: ReadonlyMap<string, string>,
  report: Report,
): Deno.lint.LintVisitor {
  return {
    Identifier(node) {
      if (node.name === "Math" && isValue(node)) checkMath(node, report);
      const hint = forbidden.get(node.name);
      if (hint !== undefined && isValue(node)) {
        report(node, `"${node.name}" is not for this folder`, hint);
      }
    },
    MemberExpression(node) {
      if (node.property.type !== "Identifier" || node.computed) return;
      const { name } = node.property;
      if (name === "localeCompare" || name.startsWith("toLocale")) {
        report(node.property, `${name}() depends on the machine`, LOCALE);
      }
    },
  };
}

function declaration(statement: Deno.lint.Statement): Node | null {
  return statement.type === "ExportNamedDeclaration" ? statement.declaration : statement;
}

/** Whether a module's variable could be changed by a later step. */
function isMutable(variable: Deno.lint.VariableDeclarator): boolean {
  const { id, init } = variable;
  if (init?.type !== "NewExpression" || init.callee.type !== "Identifier") return false;
  if (!MUTABLE.has(init.callee.name)) return false;
  const type = id.type === "Identifier" ? id.typeAnnotation?.typeAnnotation : undefined;
  if (type?.type !== "TSTypeReference" || type.typeName.type !== "Identifier") {
    return type?.type !== "TSTypeOperator";
  }
  return MUTABLE.has(type.typeName.name); // A name of the project's own is trusted to be read-only.
}

function checkModuleState(program: Deno.lint.Program, report: Report): void {
  for (const statement of program.body) {
    const node = declaration(statement);
    if (node?.type !== "VariableDeclaration") continue;
    for (const variable of node.declarations) {
      if (node.kind !== "const" || isMutable(variable)) {
        report(variable, "A module must not hold state", STATE);
      }
    }
  }
}

function pure(report: Report): Deno.lint.LintVisitor {
  const refuseAsync = (
    node:
      | Deno.lint.FunctionDeclaration
      | Deno.lint.FunctionExpression
      | Deno.lint.ArrowFunctionExpression,
  ) => {
    if (node.async) report(node, "A step cannot be asynchronous", WAIT);
  };
  return {
    ...sameEverywhere(IMPURE, report),
    Program: (node) => checkModuleState(node, report),
    FunctionDeclaration: refuseAsync,
    FunctionExpression: refuseAsync,
    ArrowFunctionExpression: refuseAsync,
    AwaitExpression: (node) => report(node, "A step cannot wait", WAIT),
    ImportExpression: (node) => report(node, "A step cannot wait for an import", WAIT),
    ForOfStatement(node) {
      if (node.await) report(node, "A step cannot wait", WAIT);
    },
    ImportDeclaration(node) {
      if (node.source.value.startsWith("node:")) {
        report(node.source, `"${node.source.value}" is not for this folder`, WORLD);
      }
    },
    PropertyDefinition(node) {
      if (node.static && !node.readonly) report(node, "A class must not hold state", STATE);
    },
  };
}

export default {
  name: "ovid",
  rules: {
    "pure": rule((path) => /^(core|agents)\//.test(path) && !isTest(path), pure),
    "virtual": rule(
      (path) => path.startsWith("sim/") && !isTest(path),
      (report) => sameEverywhere(UNTIMELY, report),
    ),
    "no-exit": rule((path) => !/^(cli|tests)\//.test(path) && !isTest(path), (report) => ({
      "MemberExpression[property.name='exit']"(node: Deno.lint.MemberExpression) {
        const { object } = node;
        if (object.type === "Identifier" && ["Deno", "process"].includes(object.name)) {
          report(
            node,
            "Only cli/ ends the process",
            "Return or throw, or set Deno.exitCode in a tool",
          );
        }
      },
    })),
    "no-test-only": rule(isTest, (report) => ({
      "CallExpression > MemberExpression[property.name='only']"(node: Deno.lint.MemberExpression) {
        report(node, "One test keeps all others from running", "Remove `.only`");
      },
    })),
    "only-re-exports": rule((path) => path === "mod.ts", (report) => ({
      Program(node) {
        for (const statement of node.body) {
          const isReExport = statement.type === "ExportAllDeclaration" ||
            (statement.type === "ExportNamedDeclaration" && statement.source !== null);
          if (!isReExport) {
            report(statement, "mod.ts only re-exports", "Move it to a file of its own");
          }
        }
      },
    })),
  },
} satisfies Deno.lint.Plugin;

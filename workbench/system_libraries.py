"""Qt's wheel brings Qt itself, but expects some libraries from the system: finds the missing ones, names the packages.

``python -m workbench.system_libraries [--install]``: exit code 0 when nothing is missing. As root on Debian or Ubuntu
``--install`` installs what is missing; otherwise the one command that does is printed. Imports no Qt: it may not load.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

# Shared library → Debian package. Only what Qt's xcb and offscreen platforms link to.
PACKAGES = {
    "libEGL.so.1": "libegl1",
    "libGL.so.1": "libgl1",
    "libOpenGL.so.0": "libopengl0",
    "libGLX.so.0": "libglx0",
    "libxkbcommon.so.0": "libxkbcommon0",
    "libxkbcommon-x11.so.0": "libxkbcommon-x11-0",
    "libX11.so.6": "libx11-6",
    "libX11-xcb.so.1": "libx11-xcb1",
    "libXext.so.6": "libxext6",
    "libxcb.so.1": "libxcb1",
    "libxcb-cursor.so.0": "libxcb-cursor0",
    "libxcb-glx.so.0": "libxcb-glx0",
    "libxcb-icccm.so.4": "libxcb-icccm4",
    "libxcb-image.so.0": "libxcb-image0",
    "libxcb-keysyms.so.1": "libxcb-keysyms1",
    "libxcb-randr.so.0": "libxcb-randr0",
    "libxcb-render.so.0": "libxcb-render0",
    "libxcb-render-util.so.0": "libxcb-render-util0",
    "libxcb-shape.so.0": "libxcb-shape0",
    "libxcb-shm.so.0": "libxcb-shm0",
    "libxcb-sync.so.1": "libxcb-sync1",
    "libxcb-util.so.1": "libxcb-util1",
    "libxcb-xfixes.so.0": "libxcb-xfixes0",
    "libxcb-xinerama.so.0": "libxcb-xinerama0",
    "libxcb-xinput.so.0": "libxcb-xinput0",
    "libxcb-xkb.so.1": "libxcb-xkb1",
    "libdbus-1.so.3": "libdbus-1-3",
    "libfontconfig.so.1": "libfontconfig1",
    "libfreetype.so.6": "libfreetype6",
    "libglib-2.0.so.0": "libglib2.0-0",
    "libgthread-2.0.so.0": "libglib2.0-0",
    "libgssapi_krb5.so.2": "libgssapi-krb5-2",
    "libSM.so.6": "libsm6",
    "libICE.so.6": "libice6",
    "libz.so.1": "zlib1g",
    "libzstd.so.1": "libzstd1",
    "libbrotlidec.so.1": "libbrotli1",
}
FONTS = "fonts-dejavu-core"


def missing_libraries() -> list[str]:
    """Names of the shared libraries that Qt's core, widgets and its two platform plug-ins do not find (Linux only)."""
    spec = find_spec("PySide6")
    if not sys.platform.startswith("linux") or spec is None or spec.origin is None or shutil.which("ldd") is None:
        return []
    qt = Path(spec.origin).parent / "Qt"
    wanted = [qt / "lib" / f"libQt6{name}.so.6" for name in ("Core", "Gui", "Widgets", "OpenGL", "Svg")]
    wanted += [qt / "plugins" / "platforms" / f"libq{name}.so" for name in ("xcb", "offscreen", "minimal")]
    output = ""
    for library in wanted:
        if library.exists():
            output += subprocess.run(["ldd", str(library)], capture_output=True, text=True, check=False).stdout
    return sorted({line.split("=>")[0].strip() for line in output.splitlines() if "not found" in line})


def missing_packages(libraries: list[str]) -> list[str]:
    """Debian packages of the missing libraries, and a font where the system has none at all."""
    packages = {PACKAGES[name] for name in libraries if name in PACKAGES}
    fonts = [Path("/usr/share/fonts"), Path("/usr/local/share/fonts"), Path.home() / ".fonts"]
    if sys.platform.startswith("linux") and not any(next(folder.rglob("*.[to]tf"), None) for folder in fonts):
        packages.add(FONTS)
    return sorted(packages)


def install(packages: list[str]) -> bool:
    """Install Debian packages as root; False when that is not possible here."""
    if shutil.which("apt-get") is None or not hasattr(os, "geteuid") or os.geteuid() != 0:
        return False
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    steps = (["apt-get", "update", "-qq"], ["apt-get", "install", "-y", "-qq", "--no-install-recommends", *packages])
    return all(
        subprocess.run(step, env=environment, stdout=subprocess.DEVNULL, check=False).returncode == 0 for step in steps
    )


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        prog="python -m workbench.system_libraries", description=__doc__.split("\n")[0] if __doc__ else ""
    )
    parser.add_argument(
        "--install", action="store_true", help="install what is missing when run as root on Debian or Ubuntu"
    )
    wants_install = parser.parse_args(arguments).install
    libraries = missing_libraries()
    packages = missing_packages(libraries)
    if not libraries and not packages:
        return 0
    if packages and wants_install:
        print(f"Installing what Qt needs from the system: {' '.join(packages)}", file=sys.stderr)
        if install(packages):
            libraries, packages = missing_libraries(), []
            if not libraries:
                return 0
    print(f"Qt misses libraries of this system: {', '.join(libraries) or 'a font'}.", file=sys.stderr)
    if packages:
        prefix = "" if hasattr(os, "geteuid") and os.geteuid() == 0 else "sudo "
        print(f"On Debian or Ubuntu:  {prefix}apt-get install {' '.join(packages)}", file=sys.stderr)
    else:
        print("Install the packages of your system that contain them, then start again.", file=sys.stderr)
    return 1


if __name__ == "__main__":
    raise SystemExit(main())

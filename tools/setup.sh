#!/usr/bin/env bash
# Installs what a build needs and is not there yet: Debian packages, and the torch wheel in a venv.
# Idempotent. With a GPU (or VLLAMA_CUDA=ON) it also takes the CUDA wheels; without one, only the two
# small ones that libtorch's CPU library links to.
#   VLLAMA_VENV   where the venv lies (default: .venv in the checkout)
set -euo pipefail
cd "$(dirname "$0")/.."

readonly torch_version=2.11.0
readonly venv="${VLLAMA_VENV:-$PWD/.venv}"
readonly packages=(
  g++ cmake ninja-build ccache pkg-config git ffmpeg python3-venv clang-format-14
  clang-16 libclang-rt-16-dev llvm-16 clang-tidy-16
  libavformat-dev libavcodec-dev libavfilter-dev libavutil-dev libswscale-dev libswresample-dev
  libyaml-cpp-dev nlohmann-json3-dev libcli11-dev libspdlog-dev libfmt-dev libsentencepiece-dev
  libedit-dev libgloo-dev libicu-dev libjpeg62-turbo-dev zlib1g-dev catch2)

missing_packages() {
  local package
  for package in "${packages[@]}"; do
    dpkg-query -W -f='${db:Status-Abbrev}' "$package" 2>/dev/null | grep -q '^ii' || echo "$package"
  done
}

install_packages() {
  local missing
  mapfile -t missing < <(missing_packages)
  [ ${#missing[@]} -eq 0 ] && return
  if [ "$(id -u)" -ne 0 ]; then
    echo "setup: these Debian packages are missing: ${missing[*]}" >&2
    echo "setup: install them with: sudo apt-get install ${missing[*]}" >&2
    exit 2
  fi
  echo "setup: installing ${missing[*]}"
  apt-get update -qq
  DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
}

wants_cuda() {
  [ "${VLLAMA_CUDA:-}" = ON ] || { [ -z "${VLLAMA_CUDA:-}" ] && nvidia-smi -L >/dev/null 2>&1; }
}

# Tries a download a second time before it gives up.
pip_install() {
  "$venv/bin/python" -m pip install -q --disable-pip-version-check "$@" ||
    "$venv/bin/python" -m pip install -q --disable-pip-version-check "$@"
}

# The wheel's own programs import torch, which fails without the CUDA wheels: they are in the venv's
# bin only where they can start.
place_programs() {
  local -r from="$1" to="$2"
  local program
  for program in torchrun torchfrtrace; do
    if [ -e "$from/$program" ]; then
      mkdir -p "$to"
      mv "$from/$program" "$to/"
    fi
  done
}

install_torch() {
  local route=small
  wants_cuda && route=cuda
  install_route $route
  if [ -e "$venv/.torch-$torch_version-cuda" ] || "$venv/bin/python" -c 'import torch' 2>/dev/null; then
    place_programs "$venv/needs_cuda_wheels" "$venv/bin"
  else
    place_programs "$venv/bin" "$venv/needs_cuda_wheels"
  fi
}

install_route() {
  local -r route=$1
  local -r stamp="$venv/.torch-$torch_version-$route"
  [ -e "$stamp" ] && return
  echo "setup: installing torch $torch_version ($route) into $venv"
  [ -x "$venv/bin/python" ] || /usr/bin/python3 -m venv "$venv"
  if [ $route = cuda ]; then
    pip_install "torch==$torch_version"
  else
    pip_install --no-deps "torch==$torch_version" 'nvidia-cuda-runtime==13.0.*' 'nvidia-cuda-cupti==13.0.*'
  fi
  touch "$stamp"
}

install_packages
install_torch

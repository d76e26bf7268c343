# Must hold before an image leaves the machine that built it.
if grep -q '</html>' index.html; then
  echo "ok: index.html is whole"
else
  echo "FAILED: index.html stops before </html>"
  exit 1
fi
